"""Pictures of objects with silhouettes, and whatever else is known of them."""
