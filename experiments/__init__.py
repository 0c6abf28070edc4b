"""Starts trainings and compares them: the paper's tables, methods beside plain training, transfer between tasks."""
