#!/usr/bin/env bash
# com.aliyun:tea-openapi 0.3.15 (com.aliyun:tea, okhttp 4.12): a call on a kept connection that the server has closed fails.
#
# Guess:  the second call opens a new connection, as okhttp does by itself (retryOnConnectionFailure is its default), and as the
#         packages of this generation for Python, Node and Go do; servers and gateways close idle connections all the time.
# Does:   the call fails: TeaUnretryableException, "unexpected end of stream". The SDK lets okhttp try nothing again, and okhttp
#         looks at a connection beforehand only if it was idle for ten seconds, and for a GET never.
# Seen:   GET, then GET:   TeaUnretryableException unexpected end of stream
#         GET, then POST:  TeaUnretryableException unexpected end of stream
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding.example</groupId>
  <artifactId>finding</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>com.aliyun</groupId><artifactId>tea-openapi</artifactId><version>0.3.15</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib > /dev/null
cat > Finding.java <<'JAVA'
import com.aliyun.teaopenapi.Client;
import com.aliyun.teaopenapi.models.Config;
import com.aliyun.teaopenapi.models.OpenApiRequest;
import com.aliyun.teaopenapi.models.Params;
import com.aliyun.teautil.models.RuntimeOptions;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

class Finding {
  public static void main(String[] arguments) throws Exception {
    String read = seen("GET");
    String write = seen("POST");
    System.out.println("GET, then GET:   " + read);
    System.out.println("GET, then POST:  " + write);
    String known = "TeaUnretryableException unexpected end of stream";
    System.exit(read.equals(known) && write.equals(known) ? 0 : 1);
  }

  /** Two calls with 300 ms between them, of a server that closes each connection after an answer. */
  static String seen(String method) throws Exception {
    ServerSocket server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    Thread thread = new Thread(() -> serve(server));
    thread.setDaemon(true);
    thread.start();
    call(server, "GET");
    Thread.sleep(300);
    try {
      call(server, method);
      return "answered";
    } catch (Exception error) {
      return error.getClass().getSimpleName() + " " + error.getMessage().replaceFirst(" on http.*", "");
    }
  }

  static void serve(ServerSocket server) {
    while (true) {
      try (Socket socket = server.accept()) {
        InputStream in = socket.getInputStream();
        for (int last = 0, got; last != 4 && (got = in.read()) >= 0; ) {
          last = got == "\r\n\r\n".charAt(last) ? last + 1 : got == '\r' ? 1 : 0;
        }
        String head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n";
        socket.getOutputStream().write((head + "{\"RequestId\": \"r\"}").getBytes());
        socket.getOutputStream().flush();
        socket.shutdownOutput();
        while (in.read() >= 0) {} // until the client has gone, too
      } catch (Exception gone) {
        continue;
      }
    }
  }

  static void call(ServerSocket server, String method) throws Exception {
    Config config = new Config().setAccessKeyId("a").setAccessKeySecret("b").setProtocol("http");
    config.setEndpoint("127.0.0.1:" + server.getLocalPort());
    Params params =
        new Params().setAction("ListFlows").setVersion("2019-03-15").setProtocol("HTTP").setPathname("/").setMethod(method)
            .setAuthType("AK").setStyle("RPC").setReqBodyType("formData").setBodyType("json");
    new Client(config).callApi(params, new OpenApiRequest(), new RuntimeOptions());
  }
}
JAVA
java -cp 'lib/*' Finding.java 2> /dev/null
