"""What the stand-in programs can do: each skill reads a question and works out an answer, or returns None.

No skill sees the generator's answer. Some skills are exact; others take the short cuts that their docstrings confess to.
"""
