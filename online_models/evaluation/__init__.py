"""How good recommenders are: protocols, metrics over many queries, and the baselines to beat."""
