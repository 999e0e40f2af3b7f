"""A report: one page that shows an engineer whether a router pays on their data, and why."""

from pointsman.report.build import build_report, measure_report
from pointsman.report.report import Report

__all__ = ["Report", "build_report", "measure_report"]
