"""The one way onto and off the bus: publish with acknowledgement, one end per task, leases, provisioning."""
