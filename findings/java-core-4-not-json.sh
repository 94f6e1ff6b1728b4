#!/usr/bin/env bash
# com.aliyun:aliyun-java-sdk-core 4.7.10 (with aliyun-java-sdk-fnf 1.8.0): an answer that is no JSON is a success full of nulls.
#
# Guess:  getAcsResponse throws a ClientException (SDK.InvalidServerResponse) for a body that it cannot read, as it does when the
#         content type is text/html.
# Does:   announced as application/json, any text that does not begin like JSON is taken for an answer without fields: the call
#         returns an object whose getters all give null, so a start whose answer was spoilt counts as done.
# Seen:   text/html        upstream timed out -> ClientException
#         application/json upstream timed out -> no exception, name null, status null
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
    <dependency><groupId>com.aliyun</groupId><artifactId>aliyun-java-sdk-core</artifactId><version>4.7.10</version></dependency>
    <dependency><groupId>com.aliyun</groupId><artifactId>aliyun-java-sdk-fnf</artifactId><version>1.8.0</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib > /dev/null
cat > Finding.java <<'JAVA'
import com.aliyuncs.DefaultAcsClient;
import com.aliyuncs.fnf.model.v20190315.StartExecutionRequest;
import com.aliyuncs.fnf.model.v20190315.StartExecutionResponse;
import com.aliyuncs.http.ProtocolType;
import com.aliyuncs.profile.DefaultProfile;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

class Finding {
  static String type;

  public static void main(String[] arguments) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext(
        "/",
        exchange -> {
          byte[] body = "upstream timed out".getBytes();
          exchange.getResponseHeaders().set("Content-Type", type);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
    String html = seen(server, "text/html");
    String json = seen(server, "application/json");
    System.out.println("text/html        upstream timed out -> " + html);
    System.out.println("application/json upstream timed out -> " + json);
    boolean same = html.equals("ClientException") && json.equals("no exception, name null, status null");
    System.exit(same ? 0 : 1);
  }

  static String seen(HttpServer server, String announced) {
    type = announced;
    DefaultAcsClient client = new DefaultAcsClient(DefaultProfile.getProfile("cn-hangzhou", "a", "b"));
    StartExecutionRequest request = new StartExecutionRequest();
    request.setFlowName("f");
    request.setSysEndpoint("127.0.0.1:" + server.getAddress().getPort());
    request.setSysProtocol(ProtocolType.HTTP);
    try {
      StartExecutionResponse answer = client.getAcsResponse(request);
      return "no exception, name " + answer.getName() + ", status " + answer.getStatus();
    } catch (Exception error) {
      return error.getClass().getSimpleName();
    }
  }
}
JAVA
java -cp 'lib/*' Finding.java 2> /dev/null
