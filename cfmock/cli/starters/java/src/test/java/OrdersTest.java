// OrdersTest.java
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.aliyun.tea.TeaException;
import com.aliyun.teaopenapi.Client;
import com.aliyun.teaopenapi.models.Config;
import com.aliyun.teaopenapi.models.OpenApiRequest;
import com.aliyun.teaopenapi.models.Params;
import com.aliyun.teautil.models.RuntimeOptions;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tests of a program that calls CloudFlow, against cfmock: mvn test. */
class OrdersTest {
  static Process server;
  static String url; // of the server, http://127.0.0.1:PORT

  @BeforeAll
  static void start() throws Exception {
    ProcessBuilder command = new ProcessBuilder("cfmock", "serve", "fixtures", "--port", "0");
    server = command.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String line = new BufferedReader(new InputStreamReader(server.getInputStream())).readLine();
    url = line.replace("cfmock ready ", "");
  }

  @AfterAll
  static void stop() {
    server.destroy();
  }

  @BeforeEach
  void reset() throws Exception {
    admin("POST", "reset", "");
  }

  /** Calls the admin API and returns its answer. */
  static String admin(String method, String path, String body) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url + "/_cfmock/" + path)).method(method, BodyPublishers.ofString(body)).build();
    HttpResponse<String> answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    assertEquals(200, answer.statusCode(), answer.body());
    return answer.body();
  }

  /** In place of your own code. Use these settings for your client. */
  static Map<?, ?> call(String action, String method, Map<String, String> parameters) throws Exception {
    Config config =
        new Config()
            .setAccessKeyId("cfmock")
            .setAccessKeySecret("cfmock-secret")
            .setEndpoint(url.replace("http://", ""))
            .setProtocol("http")
            .setSignatureAlgorithm("v2");
    Params params =
        new Params()
            .setAction(action)
            .setVersion("2019-03-15")
            .setProtocol("HTTPS")
            .setPathname("/")
            .setMethod(method)
            .setAuthType("AK")
            .setStyle("RPC")
            .setReqBodyType("formData")
            .setBodyType("json");
    OpenApiRequest request = new OpenApiRequest().setQuery(parameters);
    return (Map<?, ?>) new Client(config).callApi(params, request, new RuntimeOptions()).get("body");
  }

  static void startOrder(String name) throws Exception {
    Map<String, String> order = Map.of("FlowName", "order_flow", "ExecutionName", name, "Input", "{\"amount\": 10}");
    call("StartExecution", "POST", order);
  }

  @Test
  void anOrderGetsAReceipt() throws Exception {
    startOrder("o1");
    Map<String, String> wanted = Map.of("FlowName", "order_flow", "ExecutionName", "o1", "WaitTimeSeconds", "5");
    Map<?, ?> done = call("DescribeExecution", "GET", wanted);
    assertEquals("Succeeded", done.get("Status"));
    assertEquals("{\"receipt\":\"r1\"}", done.get("Output"));
  }

  @Test
  void aStartThatIsThrottledIsAnError() throws Exception {
    admin("POST", "faults", "{\"when\": {\"operation\": \"StartExecution\"}, \"times\": 1, \"error\": \"ResourceThrottled\"}");
    TeaException error = assertThrows(TeaException.class, () -> startOrder("o1"));
    assertEquals("ResourceThrottled", error.getCode());
    String calls = admin("GET", "calls?operation=StartExecution", "");
    assertTrue(calls.contains("\"code\": \"ResourceThrottled\""), calls);
  }
}
