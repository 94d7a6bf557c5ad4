"""From what staff decided to a tested release: candidate, run, gate, trial. docs/decisions says why so."""
