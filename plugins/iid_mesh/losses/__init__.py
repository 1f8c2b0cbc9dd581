"""What training minimises, a subject a file; all of them answer per photo, [B], unless they say
otherwise."""
