"""Components of the understanding pipeline; config.yml names them, and Rasa makes them."""
