"""The pages of the documentation as programs: what they hold, what they expect to find, and how they are run."""
