import com.aliyun.tea.TeaException;
import com.aliyun.teaopenapi.Client;
import com.aliyun.teaopenapi.models.Config;
import com.aliyun.teaopenapi.models.OpenApiRequest;
import com.aliyun.teaopenapi.models.Params;
import com.aliyun.teautil.models.RuntimeOptions;
import java.util.Map;
import java.util.Scanner;

/** A worker for `cfmock contract`: starts an execution and describes it, by the vendor's SDK at its own settings. */
class Worker {
  static void call(Client client, String action, String method) throws Exception {
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
    OpenApiRequest request = new OpenApiRequest().setQuery(Map.of("FlowName", "f", "ExecutionName", "e"));
    client.callApi(params, request, new RuntimeOptions());
  }

  public static void main(String[] arguments) throws Exception {
    Config config = new Config().setEndpoint(System.getenv("CFMOCK_ENDPOINT")).setProtocol("http");
    config.setAccessKeyId(System.getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"));
    config.setAccessKeySecret(System.getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET"));
    config.setSignatureAlgorithm("v2");
    Client client = new Client(config);
    for (Scanner cases = new Scanner(System.in); cases.hasNextLine(); cases.nextLine()) {
      String answer = "{\"exit\": 0}";
      try {
        call(client, "StartExecution", "POST");
        call(client, "DescribeExecution", "GET");
      } catch (Exception error) {
        answer = "{\"exit\": 1, \"said\": \"" + error.getClass().getSimpleName() + "\"}";
      }
      System.out.println(answer);
    }
  }
}
