#!/usr/bin/env bash
# com.aliyun:aliyun-gateway-pop 0.3.6-beta: an empty parameter of a form is signed, but not sent.
#
# Guess:  a form parameter with an empty value is sent as `Error=` and signed as that, as one of the query is; or it is in neither.
# Does:   with its default signature (version 1.0) the client signs it and leaves it out of the body. A server that signs what it got
#         comes to another signature: StopExecution with an empty Error is SignatureNotMatch, with the right secret. In the query it
#         is sent. With SignatureVersion.V3, which signs the body as it is, the call is right.
# Seen:   form:  sent ExecutionName=e&FlowName=f
#         form:  signed with Error true, without it false
#         query: sent Error true
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
    <dependency><groupId>com.aliyun</groupId><artifactId>aliyun-gateway-pop</artifactId><version>0.3.6-beta</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib > /dev/null
cat > Finding.java <<'JAVA'
import com.aliyun.auth.credentials.Credential;
import com.aliyun.auth.credentials.provider.StaticCredentialProvider;
import com.aliyun.core.http.HttpMethod;
import com.aliyun.sdk.gateway.pop.Configuration;
import com.aliyun.sdk.gateway.pop.clients.CommonAsyncClient;
import com.aliyun.sdk.gateway.pop.models.CommonRequest;
import com.sun.net.httpserver.HttpServer;
import darabonba.core.client.ClientOverrideConfiguration;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

class Finding {
  static String query, body;

  public static void main(String[] arguments) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext(
        "/",
        exchange -> {
          query = exchange.getRequestURI().getRawQuery();
          body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          byte[] answer = "{\"RequestId\": \"r\"}".getBytes();
          exchange.getResponseHeaders().set("Content-Type", "application/json");
          exchange.sendResponseHeaders(200, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    server.start();
    Credential key = Credential.builder().accessKeyId("a").accessKeySecret("b").build();
    CommonAsyncClient client =
        CommonAsyncClient.builder()
            .region("cn-hangzhou")
            .credentialsProvider(StaticCredentialProvider.create(key))
            .serviceConfiguration(Configuration.create())
            .overrideConfiguration(
                ClientOverrideConfiguration.create()
                    .setProtocol("HTTP")
                    .setEndpointOverride("127.0.0.1:" + server.getAddress().getPort()))
            .build();
    client
        .callApi(
            stop().putBodyParameters("FlowName", "f").putBodyParameters("ExecutionName", "e").putBodyParameters("Error", "").build())
        .get();
    TreeMap<String, String> sent = new TreeMap<>(parsed(query));
    sent.putAll(parsed(body));
    String given = sent.remove("Signature");
    boolean without = signature(sent).equals(given);
    boolean named = sent.containsKey("Error");
    sent.put("Error", "");
    boolean with = signature(sent).equals(given);
    System.out.println("form:  sent " + body);
    System.out.println("form:  signed with Error " + with + ", without it " + without);
    client
        .callApi(
            stop().putQueryParameters("FlowName", "f").putQueryParameters("ExecutionName", "e").putQueryParameters("Error", "").build())
        .get();
    boolean inQuery = parsed(query).containsKey("Error");
    System.out.println("query: sent Error " + inQuery);
    System.exit(with && !without && !named && inQuery ? 0 : 1);
  }

  static CommonRequest.Builder stop() {
    return CommonRequest.builder().product("fnf").version("2019-03-15").action("StopExecution").httpMethod(HttpMethod.POST).isFormData(true);
  }

  static Map<String, String> parsed(String text) {
    Map<String, String> found = new TreeMap<>();
    for (String pair : text.isEmpty() ? new String[0] : text.split("&")) {
      String[] parts = pair.split("=", 2);
      found.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
    }
    return found;
  }

  /** The documented signature, version 1.0, of a POST. */
  static String signature(TreeMap<String, String> values) throws Exception {
    StringJoiner canonical = new StringJoiner("&");
    values.forEach((name, value) -> canonical.add(encode(name) + "=" + encode(value)));
    Mac mac = Mac.getInstance("HmacSHA1");
    mac.init(new SecretKeySpec("b&".getBytes(), "HmacSHA1"));
    return Base64.getEncoder().encodeToString(mac.doFinal(("POST&%2F&" + encode(canonical.toString())).getBytes()));
  }

  static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20").replace("*", "%2A").replace("%7E", "~");
  }
}
JAVA
java -cp 'lib/*' Finding.java 2> /dev/null
