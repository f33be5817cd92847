"""The state machine over the services: the company, the model's beliefs, and what people do, by noun."""
