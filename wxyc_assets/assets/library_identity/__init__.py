"""The identity of each library row: the run asks LML for it, and asks again when it is stale."""
