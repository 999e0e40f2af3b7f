"""A world in which everything can be tried offline: tasks with computed answers, and programs that stand in for models."""

from pointsman.demo.programs import DISCLAIMER, PROGRAMS, Program, pool
from pointsman.demo.task import Task, correct, generate

__all__ = ["DISCLAIMER", "PROGRAMS", "Program", "Task", "correct", "generate", "pool"]
