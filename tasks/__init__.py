"""What is learnt: tasks as frozen values."""

from runtime.errors import InputError
from tasks.classification import Classification, PairClassification
from tasks.encoding import Encoding
from tasks.joint_reading import read_joint
from tasks.multi_label import MultiLabel, PairMultiLabel
from tasks.quora import Quora
from tasks.reading import Example, JointExample
from tasks.regression import PairRegression, Regression
from tasks.source import SPLITS, MissingFileError, Source, Split
from tasks.sst import Sst
from tasks.sts import Sts
from tasks.task import Task
from tasks.teacher import Teacher
from tasks.texts import Texts

__all__ = [
    "SPLITS",
    "Classification",
    "Encoding",
    "Example",
    "InputError",
    "JointExample",
    "MissingFileError",
    "MultiLabel",
    "PairClassification",
    "PairMultiLabel",
    "PairRegression",
    "Quora",
    "Regression",
    "Source",
    "Split",
    "Sst",
    "Sts",
    "Task",
    "Teacher",
    "Texts",
    "read_joint",
]
