"""Starts trainings and compares them: the paper's tables, methods against plain training, transfer between tasks."""
