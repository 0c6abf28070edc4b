"""Words that rules need to know: function words, and groups of words that can stand for each other in a sentence."""

DETERMINERS = frozenset("a an the my your his her its our their this these that those some".split())
PRONOUNS = frozenset(
    "i you he she it we they me him us them myself yourself himself herself itself ourselves themselves one someone "
    "somebody anyone anybody everyone everybody nobody something anything everything nothing mine yours ours theirs".split()
)
PREPOSITIONS = frozenset(
    "about above across after against along among around as at before behind below beneath beside besides between "
    "beyond by despite down during except for from in inside into like near of off on onto out outside over past per "
    "since than through throughout till to toward towards under until up upon via vs versus with within without".split()
)
CONJUNCTIONS = frozenset("and or but nor so if when while because although though unless whereas whether that".split())
QUESTION_WORDS = frozenset("what which who whom whose when where why how".split())
AUXILIARIES = frozenset(
    "am is are was were be been being do does did doing have has had having can could will would shall should may "
    "might must isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't can't cannot couldn't won't "
    "wouldn't shouldn't mustn't".split()
)
ADVERBS = frozenset(
    "not never ever also only just even still already yet always often sometimes usually really very too most more "
    "less least much many few there here then now again ago please instead rather either neither both all any each "
    "every no other such same etc".split()
)
FUNCTION_WORDS = (
    DETERMINERS | PRONOUNS | PREPOSITIONS | CONJUNCTIONS | QUESTION_WORDS | AUXILIARIES | ADVERBS
)  # an open-class word is none of these
SUBJECTS = frozenset(
    "i you he she it we they someone somebody people there this that one my your his her our their the a an some these "
    "those two all every no".split()
)
NEGATIONS = frozenset("not never no none nobody nothing nowhere neither nor without cannot hardly".split())
POLARITY = frozenset("any anything anyone anybody anywhere anymore yet ever even until either just simply all".split())
PLURALS = frozenset("people men women children police teeth feet mice cattle we they these those".split())

# In a sentence with one of these, what changes places may mean the same.
SYMMETRIC = frozenset(
    "between difference differences different differ distance far similar similarity similarities same equal vs versus "
    "compare compared comparison relation relations relationship relationships related connection link marry married "
    "marriage marries date dating dated meet met friend friends together both each mix mixed mixture combine combined "
    "either common share fight war conflict battle neighbor neighbours border borders correlation alike apart miles "
    "kilometers km equivalent equals hours vice versa".split()
)

# Groups whose members can change places in a sentence without a word being out of place.
GROUPS: dict[str, str] = {
    "countries": (
        "India|China|Pakistan|Russia|Japan|Germany|France|England|Britain|Canada|Australia|Israel|Iran|Iraq|Syria|Turkey|"
        "Spain|Italy|Brazil|Mexico|Nepal|Bangladesh|Sri Lanka|Singapore|Malaysia|Indonesia|Thailand|Vietnam|North Korea|"
        "South Korea|Korea|Ukraine|Poland|Sweden|Norway|Denmark|Finland|Ireland|Scotland|Switzerland|Austria|Greece|"
        "Egypt|Nigeria|Kenya|South Africa|Saudi Arabia|Dubai|America|Afghanistan|Taiwan|Hong Kong|Argentina|Portugal|"
        "New Zealand|Palestine|Kashmir|Tibet|Europe|Asia|Africa"
    ),
    "abbreviated countries": "USA|UK|US|UAE|EU|USSR|U.S.|U.K.|U.S.A",
    "cities": (
        "Delhi|Mumbai|Bangalore|Bengaluru|Chennai|Kolkata|Hyderabad|Pune|Goa|London|Paris|New York|Los Angeles|"
        "San Francisco|Chicago|Boston|Seattle|Toronto|Vancouver|Sydney|Melbourne|Berlin|Tokyo|Beijing|Shanghai|Moscow|"
        "Rome|Madrid|Texas|California|Florida|Kerala|Punjab|Gujarat|Manali|Jaipur|Lahore|Karachi|Miami|Las Vegas|Houston"
    ),
    "peoples": (
        "Indians|Americans|Chinese|Pakistanis|Russians|Germans|Jews|Arabs|Muslims|Christians|Hindus|Sikhs|Buddhists|"
        "Catholics|Protestants|Atheists|atheists|Europeans|Asians|Mexicans|Canadians|Australians|Israelis|Palestinians|"
        "Japanese|Koreans|Filipinos|Africans|Democrats|Republicans|liberals|conservatives|Liberals|Conservatives|Brahmins"
    ),
    "nationalities": (
        "Indian|American|Chinese|Pakistani|Russian|German|French|British|English|Japanese|Korean|Spanish|Italian|Arabic|"
        "Arab|Jewish|Muslim|Hindu|Christian|Israeli|Mexican|Canadian|Australian|European|Asian|African|Hindi|Tamil|"
        "Telugu|Punjabi|Bengali|Latin|Sanskrit|Urdu|Iranian|Turkish|Greek|Roman|Dutch|Swedish|Irish"
    ),
    "people": (
        "Trump|Clinton|Obama|Hillary|Donald Trump|Hillary Clinton|Barack Obama|Bernie Sanders|Sanders|Putin|Modi|"
        "Narendra Modi|Vladimir Putin|Gandhi|Nehru|Hitler|Stalin|Bush|Harry|Voldemort|Dumbledore|Snape|Hermione|Ron|"
        "Batman|Superman|Naruto|Sasuke|Goku|Vegeta|Jesus|Muhammad|Moses|Arvind Kejriwal|Kejriwal|Rahul Gandhi|"
        "Bill Gates|Steve Jobs|Mark Zuckerberg|Elon Musk|Virat Kohli|Einstein|Newton|Tesla|Edison|Messi|Ronaldo|"
        "Jon Snow|Daenerys|Arya|Sansa|Cersei|Tyrion|Gandalf|Frodo|Sherlock|Krishna|Rama|Shiva|Vishnu|Arjuna|Karna"
    ),
    "companies": (
        "Google|Facebook|Microsoft|Apple|Amazon|Uber|Ola|Flipkart|Twitter|Instagram|WhatsApp|Whatsapp|Snapchat|YouTube|"
        "Youtube|Quora|Reddit|LinkedIn|Netflix|Samsung|Yahoo|Infosys|TCS|Wipro|Accenture|Cognizant|Oracle|IBM|Intel|"
        "Gmail|Airtel|Jio|Vodafone|PayPal|Paytm|Skype|Tinder|Wikipedia|Spotify|eBay|Dropbox|Alibaba|Snapdeal"
    ),
    "systems": (
        "Python|Java|JavaScript|PHP|Ruby|Swift|Android|iOS|Windows|Linux|Ubuntu|Mac|iPhone|iPad|MySQL|MongoDB|Excel|Word|"
        "PDF|HTML|CSS|SQL|R|MATLAB|Matlab|C|C++|C#|Perl|Scala|Go|iTunes|Photoshop|PowerPoint|JSON|XML"
    ),
    "kinds of people, plural": (
        "men|women|boys|girls|guys|parents|children|kids|adults|teenagers|teachers|students|doctors|employers|"
        "employees|husbands|wives|fathers|mothers|sons|daughters|brothers|sisters|introverts|extroverts|customers|"
        "engineers|managers"
    ),
    "kinds of people": (
        "man|woman|boy|girl|guy|lady"
    ),
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
NOUN_GROUPS = ("kinds of people, plural", "kinds of people", "partners", "family", "offices", "beings", "animals")  # that do things to each other
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
