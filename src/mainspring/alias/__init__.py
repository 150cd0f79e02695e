"""What makes `mainspring.as_apscheduler`: importing this changes nothing yet, importing that does."""
