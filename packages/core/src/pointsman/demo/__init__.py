"""A world in which everything can be tried offline: tasks with computed answers, and programs that stand in for models."""

from pointsman.demo.programs import DISCLAIMER, PROGRAMS, Program, pool
from pointsman.demo.task import SCORER, Task, final_answer, generate

__all__ = ["DISCLAIMER", "PROGRAMS", "SCORER", "Program", "Task", "final_answer", "generate", "pool"]
