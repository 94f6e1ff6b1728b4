"""What the pages on languages give to copy: their clients call a server, and the tests that `cfmock init` writes pass."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from cfmock import CloudFlow
from tests.e2e import environments
from tests.e2e.environments import GO, GO_FLAGS, NODE, ROOT, VENVS
from tests.support import pages
from tests.support.processes import environment, environment_with_cfmock, run

PAGES = {"go": "go.md", "java": "java.md", "js": "node.md", "python": "other-languages.md"}
"""The page that has the lines of a language."""


def program(name: str) -> list[str]:
    """What runs an SDK's programs; skips where the SDK is not here."""
    try:
        return environments.command(name)
    except environments.Unavailable as error:
        pytest.skip(str(error))


def snippets(language: str) -> list[tuple[str, str]]:
    """The blocks of a language on its page: what they import, and the lines behind that."""
    found = []
    page = (ROOT / "docs" / PAGES[language]).read_text(encoding="utf-8").partition("## Tests that start")[0]
    for block in pages.blocks(page):
        if block.language == language:
            imports, _, lines = block.text.partition("\n\n" if language != "go" else ")\n\n")
            found.append((imports + (")" if language == "go" else ""), lines))
    return found


def calls_of(cf: CloudFlow, words: Sequence[str], folder: Path, **variables: str) -> list[tuple[str, int]]:
    """The calls of a program as `cfmock run` runs it."""
    done = subprocess.run(
        words,
        cwd=folder,
        env=environment(**cf.environ, **variables),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [(call.operation, call.status) for call in cf.calls()]


# -- the lines to copy -----------------------------------------------------------------------------------------------------


class Script(NamedTuple):
    """One of the blocks in a language that needs no compiler: its number on the page, its SDK, and a call with its client."""

    number: int
    sdk: str
    call: str


GENERIC_JS = """
const { OpenApiRequest, Params } = $OpenApiUtil;
const params = new Params({
  action: 'ListFlows', version: '2019-03-15', protocol: 'HTTPS', pathname: '/', method: 'GET', authType: 'AK', style: 'RPC',
  reqBodyType: 'formData', bodyType: 'json',
});
client.callApi(params, new OpenApiRequest({}), {}).then((answer) => answer.body.Flows.length, () => process.exit(1));
"""
PYTHON = (
    Script(
        0, "tea", "from alibabacloud_fnf20190315.models import ListFlowsRequest as R\nclient.list_flows(R()).body.flows"
    ),
    Script(1, "legacy", "client.do_action_with_exception(request)"),
)
JAVASCRIPT = (
    Script(0, "node", "client.listFlows({}).then((answer) => answer.Flows.length, () => process.exit(1));"),
    Script(1, "node", GENERIC_JS),
)


@pytest.mark.parametrize("script", PYTHON, ids=lambda script: script.sdk)
def test_the_lines_for_python_make_a_client(script: Script, tmp_path: Path) -> None:
    imports, lines = snippets("python")[script.number]
    with CloudFlow() as cf:
        words = [*program(script.sdk), "-c", f"{imports}\n{lines}\n{script.call}"]
        assert calls_of(cf, words, tmp_path) == [("ListFlows", 200)]


@pytest.mark.parametrize("script", JAVASCRIPT, ids=["fnf", "openapi-core"])
def test_the_lines_for_node_make_a_client(script: Script, tmp_path: Path) -> None:
    imports, lines = snippets("js")[script.number]
    with CloudFlow() as cf:
        words = [*program("node"), "-e", f"{imports}\n{lines}\n{script.call}"]
        assert calls_of(cf, words, tmp_path, NODE_PATH=str(NODE / "node_modules")) == [("ListFlows", 200)]


GO_CALLS = (
    """
if err != nil {
	panic(err)
}
params := &openapi.Params{
	Action: dara.String("ListFlows"), Version: dara.String("2019-03-15"), Protocol: dara.String("HTTPS"),
	Pathname: dara.String("/"), Method: dara.String("GET"), AuthType: dara.String("AK"), Style: dara.String("RPC"),
	ReqBodyType: dara.String("formData"), BodyType: dara.String("json"),
}
if _, err := client.CallApi(params, &openapi.OpenApiRequest{}, &dara.RuntimeOptions{}); err != nil {
	panic(err)
}
""",
    """
if err != nil {
	panic(err)
}
if _, err := client.ListFlows(request); err != nil {
	panic(err)
}
""",
)


def test_the_lines_for_go_make_clients(tmp_path: Path) -> None:
    program("go")
    parts = snippets("go")
    imports = sorted({line for head, _ in parts for line in re.findall(r'^\t(.*".*")$', head, re.M)})
    bodies = "\n".join(f"func() {{\n{lines}{call}}}()" for (_, lines), call in zip(parts, GO_CALLS, strict=True))
    text = "package main\n\nimport (\n" + "\n".join(imports) + f"\n)\n\nfunc main() {{\n{bodies}\n}}\n"
    (tmp_path / "main.go").write_text(text, encoding="utf-8")
    for name in ("go.mod", "go.sum"):
        shutil.copy(GO / name, tmp_path)
    with CloudFlow() as cf:
        assert calls_of(cf, ["go", "run", "."], tmp_path, GOFLAGS=" ".join(GO_FLAGS)) == [("ListFlows", 200)] * 2


JAVA_CALLS = (
    """
com.aliyun.teaopenapi.models.Params params = new com.aliyun.teaopenapi.models.Params()
    .setAction("ListFlows").setVersion("2019-03-15").setProtocol("HTTPS").setPathname("/").setMethod("GET")
    .setAuthType("AK").setStyle("RPC").setReqBodyType("formData").setBodyType("json");
client.callApi(params, new com.aliyun.teaopenapi.models.OpenApiRequest(), new com.aliyun.teautil.models.RuntimeOptions());
""",
    "client.getAcsResponse(request);",
    """
client.callApi(com.aliyun.sdk.gateway.pop.models.CommonRequest.builder().product("fnf").version("2019-03-15").action("ListFlows")
    .httpMethod(com.aliyun.core.http.HttpMethod.GET).build()).get();
client.close();
""",
)


def test_the_lines_for_java_make_clients(tmp_path: Path) -> None:
    java = program("java")[0]
    parts = snippets("java")
    bodies = "\n".join(f"{{\n{lines}{call}\n}}" for (_, lines), call in zip(parts, JAVA_CALLS, strict=True))
    main = f"public static void main(String[] arguments) throws Exception {{\n{bodies}\n}}"
    imports = "\n".join(head for head, _ in parts)
    (tmp_path / "Lines.java").write_text(f"{imports}\nclass Lines {{\n{main}\n}}\n", encoding="utf-8")
    with CloudFlow() as cf:
        words = [java, "-cp", str(VENVS / "java" / "lib" / "*"), "Lines.java"]
        assert calls_of(cf, words, tmp_path) == [("ListFlows", 200)] * 3


# -- the tests that `cfmock init` writes -----------------------------------------------------------------------------------


def run_go(folder: Path) -> tuple[list[str], str]:
    return ["go", "test", "-count=1", "-v", "./..."], "--- PASS"


def run_node(folder: Path) -> tuple[list[str], str]:
    (folder / "node_modules").symlink_to(NODE / "node_modules")
    return ["npm", "test"], "\nok "


def run_java(folder: Path) -> tuple[list[str], str]:
    """As Maven does it, without asking it for its plugins."""
    lib = str(VENVS / "java" / "lib" / "*")
    made = folder / "classes"
    test = folder / "src" / "test" / "java" / "OrdersTest.java"
    subprocess.run(["javac", "-encoding", "UTF-8", "-cp", lib, "-d", str(made), str(test)], check=True)
    java = environments.command("java")[:-3]  # without the driver
    launcher = "org.junit.platform.console.ConsoleLauncher"
    words = [*java, "-cp", f"{lib}{os.pathsep}{made}", launcher, "execute", "--scan-class-path", str(made)]
    return [*words, "--disable-banner", "--details=testfeed"], ":: SUCCESSFUL"


RUNS: dict[str, Callable[[Path], tuple[list[str], str]]] = {"go": run_go, "java": run_java, "node": run_node}
"""How the tests of a language are run in a folder, and what says that one has passed."""


@pytest.mark.parametrize("language", RUNS)
def test_what_init_writes_passes_at_once(language: str, tmp_path: Path) -> None:
    program(language)
    folder = tmp_path / "orders"
    assert run("init", str(folder), "--language", language).returncode == 0
    words, passed = RUNS[language](folder)
    variables = environment_with_cfmock(tmp_path, GOFLAGS=" ".join(GO_FLAGS))
    done = subprocess.run(words, cwd=folder, env=variables, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(passed) >= 2, textwrap.indent(done.stdout, "  ")
