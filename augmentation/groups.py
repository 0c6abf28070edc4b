"""Groups of words that can stand in each other's place in a sentence."""

from collections.abc import Mapping

GROUPS: Mapping[str, str] = {
    "countries": (
        "India|China|Pakistan|Russia|Japan|Germany|France|England|Britain|Canada|Australia|Israel|Iran|Iraq|Syria|"
        "Turkey|Spain|Italy|Brazil|Mexico|Nepal|Bangladesh|Sri Lanka|Singapore|Malaysia|Indonesia|Thailand|"
        "Vietnam|North Korea|South Korea|Korea|Ukraine|Poland|Sweden|Norway|Denmark|Finland|Ireland|Scotland|"
        "Switzerland|Austria|Greece|Egypt|Nigeria|Kenya|South Africa|Saudi Arabia|Dubai|America|Afghanistan|"
        "Taiwan|Hong Kong|Argentina|Portugal|New Zealand|Palestine|Kashmir|Tibet|Europe|Asia|Africa"
    ),
    "abbreviated countries": "USA|UK|US|UAE|EU|USSR|U.S.|U.K.|U.S.A",
    "cities": (
        "Delhi|Mumbai|Bangalore|Bengaluru|Chennai|Kolkata|Hyderabad|Pune|Goa|London|Paris|New York|Los Angeles|"
        "San Francisco|Chicago|Boston|Seattle|Toronto|Vancouver|Sydney|Melbourne|Berlin|Tokyo|Beijing|Shanghai|"
        "Moscow|Rome|Madrid|Texas|California|Florida|Kerala|Punjab|Gujarat|Manali|Jaipur|Lahore|Karachi|Miami|"
        "Las Vegas|Houston"
    ),
    "peoples": (
        "Indians|Americans|Chinese|Pakistanis|Russians|Germans|Jews|Arabs|Muslims|Christians|Hindus|Sikhs|"
        "Buddhists|Catholics|Protestants|Atheists|atheists|Europeans|Asians|Mexicans|Canadians|Australians|"
        "Israelis|Palestinians|Japanese|Koreans|Filipinos|Africans|Democrats|Republicans|liberals|conservatives|"
        "Liberals|Conservatives|Brahmins"
    ),
    "nationalities": (
        "Indian|American|Chinese|Pakistani|Russian|German|French|British|English|Japanese|Korean|Spanish|Italian|"
        "Arabic|Arab|Jewish|Muslim|Hindu|Christian|Israeli|Mexican|Canadian|Australian|European|Asian|African|"
        "Hindi|Tamil|Telugu|Punjabi|Bengali|Latin|Sanskrit|Urdu|Iranian|Turkish|Greek|Roman|Dutch|Swedish|Irish"
    ),
    "people": (
        "Trump|Clinton|Obama|Hillary|Donald Trump|Hillary Clinton|Barack Obama|Bernie Sanders|Sanders|Putin|Modi|"
        "Narendra Modi|Vladimir Putin|Gandhi|Nehru|Hitler|Stalin|Bush|Harry|Voldemort|Dumbledore|Snape|Hermione|"
        "Ron|Batman|Superman|Naruto|Sasuke|Goku|Vegeta|Jesus|Muhammad|Moses|Arvind Kejriwal|Kejriwal|Rahul Gandhi|"
        "Bill Gates|Steve Jobs|Mark Zuckerberg|Elon Musk|Virat Kohli|Einstein|Newton|Tesla|Edison|Messi|Ronaldo|"
        "Jon Snow|Daenerys|Arya|Sansa|Cersei|Tyrion|Gandalf|Frodo|Sherlock|Krishna|Rama|Shiva|Vishnu|Arjuna|Karna"
    ),
    "companies": (
        "Google|Facebook|Microsoft|Apple|Amazon|Uber|Ola|Flipkart|Twitter|Instagram|WhatsApp|Whatsapp|Snapchat|"
        "YouTube|Youtube|Quora|Reddit|LinkedIn|Netflix|Samsung|Yahoo|Infosys|TCS|Wipro|Accenture|Cognizant|Oracle|"
        "IBM|Intel|Gmail|Airtel|Jio|Vodafone|PayPal|Paytm|Skype|Tinder|Wikipedia|Spotify|eBay|Dropbox|Alibaba|"
        "Snapdeal"
    ),
    "systems": (
        "Python|Java|JavaScript|PHP|Ruby|Swift|Android|iOS|Windows|Linux|Ubuntu|Mac|iPhone|iPad|MySQL|MongoDB|"
        "Excel|Word|PDF|HTML|CSS|SQL|R|MATLAB|Matlab|C|C++|C#|Perl|Scala|Go|iTunes|Photoshop|PowerPoint|JSON|XML"
    ),
    "kinds of people, plural": (
        "men|women|boys|girls|guys|parents|children|kids|adults|teenagers|teachers|students|doctors|employers|"
        "employees|husbands|wives|fathers|mothers|sons|daughters|brothers|sisters|introverts|extroverts|customers|"
        "engineers|managers"
    ),
    "kinds of people": "man|woman|boy|girl|guy|lady",
    "partners": "husband|wife|boyfriend|girlfriend",
    "family": "father|mother|mom|dad|son|daughter|brother|sister",
    "offices": "teacher|student|doctor|employer|employee|boss|landlord|tenant|buyer|seller|lawyer|manager|king|queen",
    "sexes": "male|female",
    "beings": "dogs|cats|humans|animals|robots|birds|monkeys|horses",
    "animals": "dog|cat|horse|bird|monkey|cow|lion|tiger|bear|wolf|snake|mouse",
    "worth": "good|bad",
    "wealth": "rich|poor",
    "ages": "young|old",
    "colours": "white|black|red|blue|green|yellow|brown|grey|pink|purple",
    "moods": "happy|sad",
    "strength": "strong|weak",
    "owners": "private|public",
    "looks": "ugly|beautiful|fat|skinny|thin",
    "sizes": "big|small|large|tall|short",
    "warmth": "hot|cold|warm",
    "elements": "gold|silver|iron|steel|copper|oxygen|hydrogen|carbon|nitrogen",
    "quantities": "mass|pressure|temperature|voltage|current|velocity|volume|density",
    "sciences": "physics|chemistry|mathematics|biology|economics|philosophy|medicine",
    "computers": "server|client|laptop|phone|tablet",
    "vehicles": "car|bike|bus|train|truck|motorcycle|bicycle",
    "drinks": "water|milk|tea|coffee|oil|juice",
}
NOUN_GROUPS = (
    "kinds of people, plural",
    "kinds of people",
    "partners",
    "family",
    "offices",
    "beings",
    "animals",
)  # that do things to each other
ADJECTIVE_GROUPS = (
    "sexes",
    "worth",
    "wealth",
    "ages",
    "colours",
    "moods",
    "strength",
    "owners",
    "looks",
    "sizes",
    "warmth",
)
THING_GROUPS = ("elements", "quantities", "sciences", "computers", "vehicles", "drinks")
NAME_GROUPS = (
    "countries",
    "abbreviated countries",
    "cities",
    "peoples",
    "nationalities",
    "people",
    "companies",
    "systems",
)


def members(*names: str) -> dict[str, str]:
    """Return the members of some groups, each with the name of its group."""
    return {member: name for name in names for member in GROUPS[name].split("|")}


ACTING = frozenset(members(*NOUN_GROUPS))
