"""The page: what a report looks like, in HTML with charts drawn inline; it asks for nothing from anywhere."""
