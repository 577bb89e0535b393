"""What listeners see of each album that was played: artwork, links, year, biography, asked of LML."""
