"""What belongs to the user: sounds, models, adaptations, and models as files. No HTTP."""
