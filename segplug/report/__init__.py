"""Static pages: one HTML file with everything in it, which asks no other computer for anything."""
