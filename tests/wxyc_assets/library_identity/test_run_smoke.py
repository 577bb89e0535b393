from tests.wxyc_assets.library_identity.independent_lml import all_single, serving

def test_a(shelves):
    with serving(all_single) as lml:
        r = shelves.run(lml.url)
    print(r.verdict, r.reason, r.counters)
    print(shelves.stream.getvalue()[:2000])
    assert r.verdict == "done"

def test_b(shelves, sandbox):
    r = shelves.run(sandbox.url)
    assert r.verdict == "done", r.reason
