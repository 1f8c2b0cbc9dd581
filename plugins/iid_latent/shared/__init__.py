"""What both methods of the family are made of."""
