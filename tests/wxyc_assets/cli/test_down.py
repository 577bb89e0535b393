"""``wxyc down``: stops the embedded server."""

from resources.embedded_postgres import EmbeddedPostgres


def test_down_stops_the_embedded_server_once(wxyc, home):
    EmbeddedPostgres(home).start()
    assert wxyc("down").printed == {"stopped": True}
    assert wxyc("down").printed == {"stopped": False}


def test_down_refuses_while_a_demo_uses_the_server(wxyc, home):
    server = EmbeddedPostgres(home)
    with server.leased():
        finished = wxyc("down")
        assert finished.exit_code == 1
        assert "`wxyc demo` uses" in finished.printed["error"]
        assert server.running()
        assert wxyc("down", "--force").printed == {"stopped": True}
