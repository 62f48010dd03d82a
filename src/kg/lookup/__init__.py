"""What is looked up in a release by name: things, questions, documents."""
