"""The lines for Testcontainers in docs/compose.md, with the real libraries, and an engine that runs the image's command here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e import environments
from tests.e2e.environments import ROOT
from tests.support import image, pages
from tests.support.processes import environment

PAGE = (ROOT / "docs/compose.md").read_text(encoding="utf-8")

JAVA = """{imports}
class Lines {{
    public static void main(String[] arguments) throws Exception {{
{lines}
        System.out.println(asked("GET", "http://" + endpoint + "/_cfmock/flows"));
        System.out.println(asked("POST", "http://" + endpoint + "/_cfmock/reset"));
        cfmock.stop();
    }}

    static String asked(String method, String url) throws Exception {{
        var connection = (java.net.HttpURLConnection) new java.net.URL(url).openConnection();
        connection.setRequestMethod(method);
        connection.setRequestProperty("Authorization", "Bearer test-token");
        return connection.getResponseCode() + " " + new String(connection.getInputStream().readAllBytes());
    }}
}}
"""

PYTHON = """{imports}
from urllib.request import Request, urlopen
{lines}
    for method, path in (("GET", "flows"), ("POST", "reset")):
        headers = {{"Authorization": "Bearer test-token"}}
        with urlopen(Request(f"http://{{endpoint}}/_cfmock/{{path}}", method=method, headers=headers)) as answer:
            print(answer.status, answer.read().decode())
"""

VARIABLES = {
    "TESTCONTAINERS_RYUK_DISABLED": "true",
    "TESTCONTAINERS_CHECKS_DISABLE": "true",
    "TESTCONTAINERS_HOST_OVERRIDE": "127.0.0.1",
    "TESTCONTAINERS_CONNECTION_MODE": "docker_host",
    "TC_POOLING_INTERVAL": "0.05",
}
"""The engine has one image, so nothing that tidies up behind programs, and its ports are those of this machine."""


@pytest.mark.parametrize(
    ("language", "file", "program", "whole", "between"),
    [
        ("java", "Lines.java", "testcontainers-java", JAVA, ";\n\n"),
        ("python", "lines.py", "testcontainers", PYTHON, "Strategy\n\n"),
    ],
    ids=["java", "python"],
)
def test_the_lines_start_a_server_and_reset_it(language, file, program, whole, between, tmp_path: Path) -> None:
    try:
        words = environments.command(program)
    except environments.Unavailable as error:
        pytest.skip(str(error))
    (block,) = (each.text for each in pages.blocks(PAGE) if each.language == language)
    imports, _, lines = block.partition(between)
    (tmp_path / file).write_text(whole.format(imports=imports + between, lines=lines), encoding="utf-8")
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures/own.yaml").write_text("cfmock: 1\nflows: [{name: my_own}]\n", encoding="utf-8")
    with image.engine(tmp_path) as (engine, address):
        variables = environment(DOCKER_HOST=address, **VARIABLES)
        done = subprocess.run([*words, file], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        flows, reset = done.stdout.strip().splitlines()
        assert flows.startswith("200 ")
        assert "my_own" in flows
        assert reset.startswith("200 ")
        assert [each.exit_code for each in engine.containers] == [0]
