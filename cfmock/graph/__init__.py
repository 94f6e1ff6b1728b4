"""Pictures of flows: Mermaid, Graphviz, and an SVG of our own."""
