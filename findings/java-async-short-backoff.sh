#!/usr/bin/env bash
# com.aliyun:aliyun-gateway-pop 0.3.6-beta (darabonba-java-core 0.3.6-beta): a backoff is cut to whole seconds, so a short one is none.
#
# Guess:  a retry policy whose strategy says 900 ms waits 900 ms between tries, and numRetries(2) means two tries after the first.
# Does:   of the delay only the whole seconds are slept: 900 ms are no pause at all, 1,900 ms are one second. The tries of a short
#         backoff, which a throttled service asks for, come within milliseconds. numRetries counts the first try, too.
# Seen:   numRetries(2), 900 ms: 2 tries, pause 0.13 s
#         numRetries(2), 1900 ms: 2 tries, pause 1.01 s
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
import darabonba.core.policy.retry.RetryPolicy;
import darabonba.core.policy.retry.backoff.FixedDelayBackoffStrategy;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;

class Finding {
  static final List<Long> TRIES = new ArrayList<>();

  public static void main(String[] arguments) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext(
        "/",
        exchange -> {
          TRIES.add(System.nanoTime());
          byte[] body = "{\"Code\": \"ResourceThrottled\", \"Message\": \"slow down\", \"RequestId\": \"r\"}".getBytes();
          exchange.getResponseHeaders().set("Content-Type", "application/json");
          exchange.sendResponseHeaders(429, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
    String endpoint = "127.0.0.1:" + server.getAddress().getPort();
    double small = pause(endpoint, 900);
    double large = pause(endpoint, 1900);
    System.exit(0 <= small && small < 0.85 && 1.0 <= large && large < 1.85 ? 0 : 1);
  }

  /** Seconds between the two tries; -1 if there are not two. */
  static double pause(String endpoint, int backoff) throws Exception {
    TRIES.clear();
    RetryPolicy policy =
        RetryPolicy.builder().numRetries(2).backoffStrategy(FixedDelayBackoffStrategy.create(Duration.ofMillis(backoff))).build();
    Credential key = Credential.builder().accessKeyId("a").accessKeySecret("b").build();
    try (CommonAsyncClient client =
        CommonAsyncClient.builder()
            .region("cn-hangzhou")
            .credentialsProvider(StaticCredentialProvider.create(key))
            .serviceConfiguration(Configuration.create())
            .overrideConfiguration(
                ClientOverrideConfiguration.create().setProtocol("HTTP").setEndpointOverride(endpoint).setRetryPolicy(policy))
            .build()) {
      CommonRequest request =
          CommonRequest.builder().product("fnf").version("2019-03-15").action("ListFlows").httpMethod(HttpMethod.GET).build();
      client.callApi(request).get();
    } catch (ExecutionException refused) {
      // Each try is refused.
    }
    double pause = TRIES.size() == 2 ? (TRIES.get(1) - TRIES.get(0)) / 1e9 : -1;
    System.out.printf(Locale.ROOT, "numRetries(2), %d ms: %d tries, pause %.2f s%n", backoff, TRIES.size(), pause);
    return pause;
  }
}
JAVA
java -cp 'lib/*' Finding.java 2> /dev/null
