"""What a viewer sees: the list of what is live, and one broadcast playing."""
