"""The rules, on invented questions and captions of the forms that are met in files."""

import pytest

from augmentation import KINDS
from augmentation.tokens import Tokens, bag, decapitalise

EDITS = {
    "direction": {
        "How do I travel from Oslo to Rome by bus?": "How do I travel from Rome to Oslo by bus?",
        "How can I send money from my bank account to my savings account?": (
            "How can I send money from my savings account to my bank account?"
        ),
        "How do you convert litres into gallons?": "How do you convert gallons into litres?",
        "Is moving from New Zealand to Peru possible by ship?": "Is moving from Peru to New Zealand possible by ship?",
    },
    "comparison": {
        "Why is steel more elastic than rubber?": "Why is rubber more elastic than steel?",
        "Why do some people prefer Linux over Windows?": "Why do some people prefer Windows over Linux?",
        "Why does the school use paper books instead of tablets?": (
            "Why does the school use tablets instead of paper books?"
        ),
        "Why does brown rice taste better than white rice?": "Why does white rice taste better than brown rice?",
        "Why is the start harder than the end?": "Why is the end harder than the start?",
    },
    "names": {
        "What do people in Norway think of Denmark?": "What do people in Denmark think of Norway?",
        "How do I move my Gmail contacts to Yahoo?": "How do I move my Yahoo contacts to Gmail?",
    },
    "roles": {
        "Why did Snape kill Dumbledore?": "Why did Dumbledore kill Snape?",
        "What do teachers expect from students?": "What do students expect from teachers?",
        "Why do good things happen to bad people?": "Why do bad things happen to good people?",
        "A dog is chasing a cat in the garden.": "A cat is chasing a dog in the garden.",
    },
    "passive": {
        "Why did Germany invade Norway in 1940?": "Why was Germany invaded by Norway in 1940?",
        "The old king was betrayed by the young queen.": "The young queen was betrayed by the old king.",
    },
    "before_after": {
        "What should I check before buying a used car?": "What should I check after buying a used car?",
        "After the exam, can I see my marks?": "Before the exam, can I see my marks?",
    },
    "or_and": {
        "Should I learn French or German?": "Should I learn French and German?",
        "Is work a noun or a verb?": "Is work a noun and a verb?",
    },
    "numbers": {
        "How can I lose 10 pounds in 20 days?": "How can I lose 20 pounds in 10 days?",
        "How does an 18 year old man meet an 11 year old boy?": "How does an 11 year old man meet an 18 year old boy?",
        "I am 18 and my brother is 25. Can we share a flat?": "I am 25 and my brother is 18. Can we share a flat?",
    },
    "negation": {
        "Why do people vote?": "Why don't people vote?",
        "Why doesn't the moon have an atmosphere?": "Why does the moon have an atmosphere?",
        "What happens if I pay the rent late?": "What happens if I don't pay the rent late?",
        "Which birds do not migrate in winter?": "Which birds migrate in winter?",
    },
    "list": {
        "What are the pros and cons of a diesel engine?": "What are the cons and pros of a diesel engine?",
        "How was the debate between Obama and Romney?": "How was the debate between Romney and Obama?",
    },
    "relation": {
        "How is boric acid different from borax?": "How is borax different from boric acid?",
        "Which phone is better, Nokia or Samsung?": "Which phone is better, Samsung or Nokia?",
        "Which is better: Ubuntu or Red Hat Linux?": "Which is better: Red Hat Linux or Ubuntu?",
        "What is the difference between a star and a planet?": "What is the difference between a planet and a star?",
    },
    "clause": {
        "If I break the lease, what should I do?": "What should I do if I break the lease?",
        "Can I keep my number if I change the network?": "If I change the network, can I keep my number?",
        "In Spanish, what is the word for snow?": "What is the word for snow in Spanish?",
    },
    "sentences": {
        "I lost my passport in Oslo. Who can help me?": "Who can help me? I lost my passport in Oslo.",
    },
    "voice": {
        "Why did Britain colonize India?": "Why was India colonized by Britain?",
        "How do tides affect the coast?": "How is the coast affected by tides?",
        "How does sugar cause diabetes?": "How is diabetes caused by sugar?",
        "How do airports make money?": "How is money made by airports?",
        "A woman is slicing an onion.": "An onion is being sliced by a woman.",
    },
    "contraction": {
        "What's the smallest planet?": "What is the smallest planet?",
        "Why don't people walk to work?": "Why do people not walk to work?",
        "What is the smallest planet?": "What's the smallest planet?",
        "Why didn't I know who I am sooner?": "Why did I not know who I am sooner?",
        "Why don't they pay?": "Why do they not pay?",
    },
}
LEFT_ALONE = {  # the meaning would stay as it is, or change, or the text would be none
    "direction": (
        "How far is it from Oslo to Rome?",
        "What is the difference from day to night?",
        "How do I learn piano from scratch to a good level?",
        "I want to move from Delhi to earn more.",
        "How long does it take from Oslo to Rome?",
        "How do I count from 1 to 20?",
        "What is the flight time from Oslo to Rome?",
        "Which countries (from Norway to Denmark) have a king?",
        "Why did the town part from Norway to form a state?",
        "How do I move from Google to Yahoo! Answers?",
    ),
    "comparison": (
        "Is tea better than coffee?",
        "Why is sound faster in water than air?",
        "Why do some people work harder than others?",
        "Why are there more than 300 languages?",
        "How is Oslo valued more than Rome?",
        "Why do they paint old walls white instead of black?",
        "Why is Casablanca better than Oh My Man?",
    ),
    "names": (
        "What is the border between Norway and Sweden?",
        "Is Norway larger than Sweden?",
        "Which is bigger: Norway or Sweden?",
        "How do Norway and Sweden trade?",
        "Why did Norway and Sweden separate?",
        "What would happen if North Korea reunited with South Korea?",
        "How do I open a file in Google Drive with Microsoft Word?",
    ),
    "roles": (
        "Why did Anna marry Tom?",
        "Why did the cat meet the dog?",
        "What separates dogs from cats?",
        "Do good things happen to bad people, and vice-versa?",
        "Why do good things happen to bad people, and vice-versa?",
        "How do birds build their nests?",
        "Do dogs like cats?",
        "Why do men and women argue?",
    ),
    "passive": ("Why do people drink tea?", "Is the book by Tolstoy?"),
    "before_after": (
        "Who looks after the children?",
        "What happens after death?",
        "Who was the city named after?",
        "Have you been here before?",
        "The day after tomorrow, what is open?",
    ),
    "or_and": (
        "Which is better, tea or coffee?",
        "Is it true or not?",
        "Is there a park or a garden near here?",
        "Are there any shops or cafes?",
        "Are tourists being cheated or robbed in Rome?",
        "Is the bank hiding or losing money?",
        "Should I walk my cat or dog?",
        "Are young birds less prone to colds or fevers?",
        "How do I download songs or films?",
    ),
    "numbers": (
        "Is 20 or 30 a better age?",
        "What is 20 divided by 10?",
        "How long is it from 20 to 30?",
        "Which is better, level 20 or level 30?",
        "I got 2 marks of 90 in maths.",
        "How does an 18 year old man meet a 20 year old woman?",
        "Was it on 10 June, 20 years ago?",
    ),
    "negation": (
        "Is it not true?",
        "Can I pay by card?",
        "Isn't it late?",
        "Why don't we go out?",
        "Why doesn't anyone answer?",
        "Should I go or not?",
    ),
    "list": (
        "How do I go and buy a ticket?",
        "Who owns Barnes and Noble?",
        "How do I get my user name and password?",
        "Do you eat fish and drink milk?",
        "Is an apple and banana diet healthy?",
    ),
    "relation": (
        "How is Oslo different from other cities?",
        "Why is Tom better than Ben?",
        "What is the difference between a rat and mice?",
        "What is the relation between phase and line voltage?",
        "What is the difference between sheet steel and iron?",
    ),
    "clause": (
        "How do I know if my phone is broken?",
        "If it rains, then what do you do?",
        "Who was there when?",
        "What is it like when you fly?",
        "Is it true if you swallow gum that it stays there?",
    ),
    "sentences": (
        "I have a broken phone. How can it be repaired?",
        "What is a comet? What are the parts?",
        "What are good ways to learn chess? What are the costs and the merits of each?",
        "What is the price of building a house (per sq. Ft) in the north of Norway?",
        "He was born near St. Petersburg in the north. Where is the place?",
    ),
    "voice": (
        "How does Apple Pay work?",
        "Why do I feel tired?",
        "How did she become a doctor?",
        "Why do users write their questions?",
        "How does helium make a person sound funny?",
        "Why do schools make good homes?",
    ),
    "contraction": (
        "Why do cats purr?",
        "Why don't people on buses talk?",
        "Why didn't Google Maps work?",
        "Does she know who I am in life?",
        'How do you spell "I\'m"?',
    ),
}


@pytest.mark.parametrize(
    ("kind", "text", "edited"), [(kind, *pair) for kind, pairs in EDITS.items() for pair in pairs.items()]
)
def test_a_rule_edits_a_text(kind: str, text: str, edited: str):
    found = KINDS[kind].rule(text)
    assert found is not None
    assert found.text == edited


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in LEFT_ALONE.items() for text in texts])
def test_a_rule_leaves_a_text_alone(kind: str, text: str):
    assert KINDS[kind].rule(text) is None


def test_every_kind_has_both_sorts_of_examples():
    assert EDITS.keys() == KINDS.keys() == LEFT_ALONE.keys()


TEXTS = [text for pairs in EDITS.values() for pair in pairs.items() for text in pair]
ODD = (
    "",
    "?",
    " ",
    "..?",
    "“Why?”",
    "为什么天空是蓝色的?",
    "why",
    "A",
    "and",
    "10 in 20",
    "from to",
    "\n",
    "🙂 or 🙂?",
    "If it rains,  ?",
    "Difference between   and b?",
    "WHY",
    "from https://a.org/?b=c to https://d.org/?e=f",
)


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.keeps_words])
def test_every_word_is_kept_where_promised(kind: str):
    edits = [(text, edit.text) for text in TEXTS if (edit := KINDS[kind].rule(text)) is not None]
    assert len(edits) >= 2
    for text, edited in edits:
        assert bag(edited) == bag(text)
        assert edited != text


@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_keeps_the_case_at_the_start_and_the_mark_at_the_end(kind: str):
    edits = [(text, edit.text) for text in TEXTS if (edit := KINDS[kind].rule(text)) is not None]
    assert edits
    for text, edited in edits:
        assert edited[0].isupper() == text[0].isupper()
        assert edited[-1] in "?."
        assert "  " not in edited


@pytest.mark.parametrize("kind", KINDS)
def test_odd_texts_do_no_harm(kind: str):
    assert [KINDS[kind].rule(text) for text in ODD] == [None] * len(ODD)


@pytest.mark.parametrize("kind", ["direction", "comparison", "names", "numbers", "list", "relation"])
def test_an_exchange_undoes_itself(kind: str):
    for text, edited in EDITS[kind].items():
        back = KINDS[kind].rule(edited)
        assert back is not None
        assert back.text == text
        assert back.moved == KINDS[kind].rule(text).moved


def test_tokens_have_their_places():
    tokens = Tokens.of("Isn't C++ older, U.S.?")
    assert tokens.words == ("Isn't", "C++", "older", ",", "U.S", ".", "?")
    assert tokens.cut(1, 3) == "C++ older"


def test_a_name_of_capitals_keeps_them():
    assert [decapitalise(text) for text in ("If so", "I am", "NASA did", "A cat")] == [
        "if so",
        "I am",
        "NASA did",
        "a cat",
    ]
