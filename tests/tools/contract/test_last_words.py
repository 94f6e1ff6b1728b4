"""What a program said last, in the words of several runtimes."""

from __future__ import annotations

import pytest

from cfmock.tools.contract.process import last_words

NODE = """\
/app/client.js:1
const e = new Error('slow down'); throw e;
        ^

Error [ResourceThrottledError]: slow down, URL: http://127.0.0.1:1/
    at Object.<anonymous> (/app/client.js:1:9)
    ... 4 lines matching cause stack trace ...
    at node:internal/main/run_main_module:28:49 {
  code: 'ResourceThrottled',
  data: { a: { b: 1 } },
  cause: Error: inner
      at Object.<anonymous> (/app/client.js:1:155)
}

Node.js v20.20.2
"""

NODE_OF_TWO_LINES = """\
Error: first line
second line
    at run (/app/client.js:1:9)
    at <anonymous>

Node.js v20.20.2
"""

JAVA = """\
some log
Exception in thread "main" com.aliyun.tea.TeaException: code: 429, slow down
\tat com.example.Client.main(Client.java:2)
Caused by: java.io.IOException: inner
of two lines
\tat com.example.Client.main(Client.java:2)
\tat java.base/java.lang.reflect.Method.invoke(Method.java:569)
\t... 3 more
"""

GO = """\
panic: SDKError:
   StatusCode: 429
   Code: ResourceThrottled
   Message: code: 429, slow down
   Data: {"RequestId":"r"}


goroutine 1 [running]:
main.main()
\t/app/client.go:3 +0x49
exit status 2
"""

ALIYUN = """\
ERROR: SDK.ServerError
ErrorCode: ResourceThrottled
Recommend: https://example.com/
RequestId: r
Message: slow down
RespHeaders: map[Content-Type:[application/json]]
"""

PYTHON = """\
Traceback (most recent call last):
  File "client.py", line 3, in <module>
    client.start_execution(request)
alibabacloud_tea_openapi.exceptions._client.ClientException: Error: ResourceThrottled code: 429, slow down request id: r
"""

PYTHON_OF_MANY_LINES = """\
Traceback (most recent call last):
  File "client.py", line 3, in <module>
    f()
    ~^^
client.f.<locals>.ServerFault: ResourceThrottled
request id: r
see https://example.com/
a note on it
sys:1: ResourceWarning: unclosed file <_io.FileIO name=3>
ResourceWarning: Enable tracemalloc to get the object allocation traceback
"""

PYTHON_GROUP = """\
  + Exception Group Traceback (most recent call last):
  |   File "client.py", line 6, in m
  |     async with asyncio.TaskGroup() as t:
  | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "client.py", line 4, in f
    |     raise ValueError("x")
    | ValueError: x
    +---------------- 2 ----------------
    | Traceback (most recent call last):
    |   File "client.py", line 4, in f
    |     raise ServerFault("ResourceThrottled")
    | pkg.errors.ServerFault: ResourceThrottled
    | request id: r
    +------------------------------------
"""

PHP = """\
PHP Fatal error:  Uncaught ServerFault: ResourceThrottled in /app/client.php:3
Stack trace:
#0 {main}
  thrown in /app/client.php on line 3
"""

RUST = """\
thread 'main' panicked at src/main.rs:2:5:
slow down
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""

DOTNET = """\
Unhandled exception. System.Net.Http.HttpRequestException: slow down
   at Client.Main() in /app/Client.cs:line 5
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (NODE, "Error [ResourceThrottledError]: slow down, URL: http://127.0.0.1:1/"),
        (NODE_OF_TWO_LINES, "Error: first line"),
        (JAVA, "TeaException: code: 429, slow down"),
        (GO, "panic: SDKError: ResourceThrottled code: 429, slow down"),
        (ALIYUN, "ERROR: SDK.ServerError: ResourceThrottled slow down"),
        (PYTHON, "ClientException: ResourceThrottled code: 429, slow down request id: r"),
        (PYTHON_OF_MANY_LINES, "ServerFault: ResourceThrottled"),
        (PYTHON_GROUP, "ServerFault: ResourceThrottled"),
        (PHP, "PHP Fatal error:  Uncaught ServerFault: ResourceThrottled in /app/client.php:3"),
        (RUST, "slow down"),
        (DOTNET, "HttpRequestException: slow down"),
        ("json.decoder.JSONDecodeError: Expecting value\n", "JSONDecodeError: Expecting value"),
        ("aiohttp.client_exceptions.SocketTimeoutError\n", "SocketTimeoutError"),
    ],
)
def test_of_an_uncaught_error_it_is_the_line_that_names_it(text, words):
    assert last_words(text) == words


@pytest.mark.parametrize("stack", [NODE, JAVA, PYTHON, PYTHON_OF_MANY_LINES])
def test_what_is_said_after_a_stack_is_said_last(stack):
    assert last_words(f"{stack}\ngave up after 3 tries\n") == "gave up after 3 tries"


@pytest.mark.parametrize(
    "line",
    [
        "example.com: not found",
        "a.b.c",
        "at noon: all is well",
        "Done: 3 of 3",
        "see com.example.Client for more",
        "| a table",
    ],
)
def test_a_line_of_the_programs_own_stays_as_it_is(line):
    assert last_words(f"before\n{line}\n") == line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("a\nb\n\n  \n", "b"),
        ("\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07\r\n", "red link"),
        ("tab\tand\x00nul", "tab\tandnul"),
        ("x" * 500, "x" * 199 + "…"),
        ('{\n  "Code": "AccessDenied"\n}\n', '"Code": "AccessDenied"'),
        ("...\n---\n", "---"),
    ],
)
def test_it_is_one_short_plain_line(text, words):
    assert last_words(text) == words
