"""What a language model is given to work with: tools, resources, and statements that carry their evidence."""
