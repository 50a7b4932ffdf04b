"""A local, read-only service over the graph: SPARQL 1.1 Protocol, service description, health.

`settings` what the operator chose; `dataset` what is served; `request` what a client asks; `pool` and `worker` where a
query runs and how it is stopped; `endpoint` and `app` the HTTP surface. Needs the extra `server`."""
