"""Pages of text and the parts that they share: details, help, explanations."""
