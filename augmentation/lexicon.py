"""Words that rules need to know: function words, and words in whose company an exchange keeps the meaning."""


def listed(words: str) -> frozenset[str]:
    """Return the words of a line."""
    return frozenset(words.split())


DETERMINERS = listed("a an the my your his her its our their this these that those some")
PRONOUNS = listed(
    "i you he she it we they me him us them myself yourself himself herself itself ourselves themselves one someone "
    "somebody anyone anybody everyone everybody nobody something anything everything nothing mine yours ours theirs"
)
PREPOSITIONS = listed(
    "about above across after against along among around as at before behind below beneath beside besides between "
    "beyond by despite down during except for from in inside into like near of off on onto out outside over past per "
    "since than through throughout till to toward towards under until up upon via vs versus with within without"
)
CONJUNCTIONS = listed("and or but nor so if when while because although though unless whereas whether that")
QUESTION_WORDS = listed("what which who whom whose when where why how")
AUXILIARIES = listed(
    "am is are was were be been being do does did doing have has had having can could will would shall should may "
    "might must isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't can't cannot couldn't won't "
    "wouldn't shouldn't mustn't"
)
ADVERBS = listed(
    "not never ever also only just even still already yet always often sometimes usually really very too most more "
    "less least much many few there here then now again ago please instead rather either neither both all any each "
    "every no other such same etc"
)
FUNCTION_WORDS = (
    DETERMINERS | PRONOUNS | PREPOSITIONS | CONJUNCTIONS | QUESTION_WORDS | AUXILIARIES | ADVERBS
)  # an open-class word is none of these
SUBJECTS = listed(
    "i you he she it we they someone somebody people there this that one my your his her our their the a an some these "
    "those two all every no"
)
NEGATIONS = listed("not never no none nobody nothing nowhere neither nor without cannot hardly")
POLARITY = listed("any anything anyone anybody anywhere anymore yet ever even until either just simply all")
PLURALS = listed("people men women children police teeth feet mice cattle we they these those")
SINGULARS = listed("diabetes news lens series")

# In a sentence with one of these, what changes places may mean the same.
SYMMETRIC = listed(
    "between difference differences different differ distance far similar similarity similarities same equal vs versus "
    "compare compared comparison relation relations relationship relationships related connection link marry married "
    "marriage marries date dating dated meet met friend friends together both each mix mixed mixture combine combined "
    "either common share fight war conflict battle neighbor neighbours border borders correlation alike apart miles "
    "kilometers km equivalent equals hours vice versa vice-versa reunite reunited merge merged united unite v whole "
    "differentiate differentiates distinguish distinguishes separate separates"
)

TIMES = listed("year years yr yrs month months week weeks day days hour hours minute minutes")
POSSESSIVES = listed("my your his her its our their")
QUESTIONS_OF_MEASURE = (("how", "long"), ("how", "many"), ("how", "much"))
