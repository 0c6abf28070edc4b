"""Starts trainings and compares them: own configurations, the paper's tables, methods, transfer between tasks."""
