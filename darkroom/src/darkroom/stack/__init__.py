"""The whole system on one machine: real NATS and Postgres, the services, what keeps them up."""
