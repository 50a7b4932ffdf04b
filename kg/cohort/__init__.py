"""A population: the same queries, many patients at a time, in partitions that stand alone.

`shuffle` sorts a bulk export into partitions, `partition` reads, judges and writes one of them, `runners` spread
partitions over processes or a cluster, `run` puts a table, a list of rejections and a summary together."""
