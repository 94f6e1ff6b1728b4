import com.aliyun.auth.credentials.Credential;
import com.aliyun.auth.credentials.provider.StaticCredentialProvider;
import com.aliyun.core.http.HttpMethod;
import com.aliyun.sdk.gateway.pop.Configuration;
import com.aliyun.sdk.gateway.pop.auth.SignatureVersion;
import com.aliyun.sdk.gateway.pop.clients.CommonAsyncClient;
import com.aliyun.sdk.gateway.pop.exception.PopClientException;
import com.aliyun.sdk.gateway.pop.exception.PopServerException;
import com.aliyun.sdk.gateway.pop.models.CommonRequest;
import com.aliyun.tea.TeaException;
import com.aliyun.teaopenapi.models.Config;
import com.aliyun.teaopenapi.models.OpenApiRequest;
import com.aliyun.teaopenapi.models.Params;
import com.aliyun.teautil.models.RuntimeOptions;
import com.aliyuncs.AcsRequest;
import com.aliyuncs.AcsResponse;
import com.aliyuncs.DefaultAcsClient;
import com.aliyuncs.auth.ISignatureComposer;
import com.aliyuncs.auth.Signer;
import com.aliyuncs.exceptions.ClientException;
import com.aliyuncs.http.FormatType;
import com.aliyuncs.http.MethodType;
import com.aliyuncs.http.ProtocolType;
import com.aliyuncs.profile.DefaultProfile;
import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import darabonba.core.client.ClientOverrideConfiguration;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;

/**
 * Calls through the vendor's Java SDKs; the same lines in and out as ../drivers/lines.py.
 *
 * <p>Ways: "tea" is the generic client of tea-openapi, of which the generated clients are a thin layer, with their signature
 * (V1); "acs3" is the same client at its own setting; "legacy" is aliyun-java-sdk-fnf on aliyun-java-sdk-core; "async" is the
 * generic client of the asynchronous SDK, aliyun-gateway-pop, at its own setting (V1), "async-acs3" with ACS3.
 */
public final class Driver {
  private static final Gson JSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();
  private static final Gson BEANS = new GsonBuilder().setFieldNamingPolicy(FieldNamingPolicy.UPPER_CAMEL_CASE).create();

  /** What is to be done. */
  static final class Job {
    String endpoint;
    String protocol;
    String ca_file;
    String access_key_id;
    String access_key_secret;
    String security_token;
    String way;
    int clock_off;
    Integer timeout;
    String operation;
    LinkedHashMap<String, Object> parameters;

    String timestamp() {
      return Instant.now().plusSeconds(clock_off).truncatedTo(ChronoUnit.SECONDS).toString();
    }

    boolean reads() {
      return operation.startsWith("Describe") || operation.startsWith("List") || operation.startsWith("Get");
    }

    String text(Object value) {
      boolean whole = value instanceof Double && (Double) value % 1 == 0; // Gson reads each number as a double
      return whole ? Long.toString(((Double) value).longValue()) : String.valueOf(value);
    }
  }

  public static void main(String[] arguments) throws Exception {
    PrintStream out = new PrintStream(System.out, true, "UTF-8");
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      Job job = JSON.fromJson(line, Job.class);
      Map<String, Object> answer = new HashMap<>();
      try {
        answer.put("body", job.way.equals("legacy") ? legacy(job) : job.way.startsWith("async") ? async(job) : tea(job));
      } catch (ExecutionException error) {
        answer.put("error", describe(error.getCause()));
      } catch (Exception error) {
        answer.put("error", describe(error));
      }
      out.println(JSON.toJson(answer));
    }
  }

  private static Object tea(Job job) throws Exception {
    Config config =
        new Config()
            .setAccessKeyId(job.access_key_id)
            .setAccessKeySecret(job.access_key_secret)
            .setSecurityToken(job.security_token)
            .setRegionId("cn-hangzhou")
            .setEndpoint(job.endpoint)
            .setProtocol(job.protocol);
    if (job.way.equals("tea")) {
      config.setSignatureAlgorithm("v2");
    }
    if (job.ca_file != null) {
      config.setCa(new String(Files.readAllBytes(Paths.get(job.ca_file)), StandardCharsets.UTF_8));
    }
    Params params =
        new Params()
            .setAction(job.operation)
            .setVersion("2019-03-15")
            .setProtocol("HTTPS")
            .setPathname("/")
            .setMethod(job.reads() ? "GET" : "POST")
            .setAuthType("AK")
            .setStyle("RPC")
            .setReqBodyType("formData")
            .setBodyType("json");
    Map<String, String> texts = new HashMap<>();
    job.parameters.forEach((name, value) -> texts.put(name, job.text(value)));
    Map<String, String> query = new HashMap<>(job.reads() ? texts : Map.of());
    OpenApiRequest request = new OpenApiRequest().setQuery(query);
    if (!job.reads()) {
      request.setBody(texts);
    }
    if (job.clock_off != 0 && job.way.equals("tea")) {
      query.put("Timestamp", job.timestamp());
    } else if (job.clock_off != 0) {
      request.setHeaders(Map.of("x-acs-date", job.timestamp()));
    }
    RuntimeOptions runtime = new RuntimeOptions();
    if (job.timeout != null) {
      runtime.setReadTimeout(job.timeout);
    }
    return new com.aliyun.teaopenapi.Client(config).callApi(params, request, runtime).get("body");
  }

  /** Clients of the asynchronous SDK, which keep their connections and threads, by their settings. */
  private static final Map<List<Object>, CommonAsyncClient> CLIENTS = new HashMap<>();

  private static Object async(Job job) throws Exception {
    List<Object> settings =
        Arrays.asList(
            job.endpoint, job.protocol, job.ca_file, job.access_key_id, job.access_key_secret, job.security_token, job.way,
            job.timeout);
    if (job.ca_file != null) {
      trust(job.ca_file);
    }
    CommonAsyncClient client = CLIENTS.computeIfAbsent(settings, key -> asyncClient(job));
    CommonRequest.Builder request =
        CommonRequest.builder()
            .product("fnf")
            .version("2019-03-15")
            .action(job.operation)
            .httpMethod(job.reads() ? HttpMethod.GET : HttpMethod.POST)
            .isFormData(true);
    job.parameters.forEach(
        (name, value) -> {
          if (job.reads()) {
            request.putQueryParameters(name, job.text(value));
          } else {
            request.putBodyParameters(name, job.text(value));
          }
        });
    if (job.clock_off != 0 && job.way.equals("async")) {
      request.putQueryParameters("Timestamp", job.timestamp());
    } else if (job.clock_off != 0) {
      request.putHeaderParameters("x-acs-date", job.timestamp());
    }
    return client.callApi(request.build()).get().getBody();
  }

  private static CommonAsyncClient asyncClient(Job job) {
    Credential key =
        Credential.builder()
            .accessKeyId(job.access_key_id)
            .accessKeySecret(job.access_key_secret)
            .securityToken(job.security_token)
            .build();
    ClientOverrideConfiguration settings =
        ClientOverrideConfiguration.create().setEndpointOverride(job.endpoint).setProtocol(job.protocol);
    if (job.timeout != null) {
      settings.setResponseTimeout(Duration.ofMillis(job.timeout));
    }
    Configuration signing = Configuration.create();
    if (job.way.equals("async-acs3")) {
      signing.setSignatureVersion(SignatureVersion.V3);
    }
    return CommonAsyncClient.builder()
        .region("cn-hangzhou")
        .credentialsProvider(StaticCredentialProvider.create(key))
        .serviceConfiguration(signing)
        .overrideConfiguration(settings)
        .build();
  }

  private static Object legacy(Job job) throws Exception {
    DefaultProfile profile =
        job.security_token == null
            ? DefaultProfile.getProfile("cn-hangzhou", job.access_key_id, job.access_key_secret)
            : DefaultProfile.getProfile("cn-hangzhou", job.access_key_id, job.access_key_secret, job.security_token);
    if (job.ca_file != null) {
      trust(job.ca_file);
    }
    DefaultAcsClient client = new DefaultAcsClient(profile);
    Class<?> kind = Class.forName("com.aliyuncs.fnf.model.v20190315." + job.operation + "Request");
    AcsRequest<?> request = (AcsRequest<?>) kind.getDeclaredConstructor().newInstance();
    request.setSysEndpoint(job.endpoint);
    request.setSysProtocol(job.protocol.equals("https") ? ProtocolType.HTTPS : ProtocolType.HTTP);
    if (job.timeout != null) {
      request.setSysReadTimeout(job.timeout);
    }
    for (Map.Entry<String, Object> given : job.parameters.entrySet()) {
      set(request, given.getKey(), given.getValue(), job);
    }
    if (job.clock_off != 0) {
      shiftClock(request, job);
    }
    AcsResponse response = client.getAcsResponse(request);
    return BEANS.toJsonTree(response);
  }

  /** Does what `keytool -importcert` and -Djavax.net.ssl.trustStore do: this SDK takes no file with a CA. */
  private static void trust(String file) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    try (InputStream text = Files.newInputStream(Paths.get(file))) {
      store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(text));
    }
    Path made = Files.createTempFile("trusted", ".p12");
    made.toFile().deleteOnExit();
    try (OutputStream out = Files.newOutputStream(made)) {
      store.store(out, "changeit".toCharArray());
    }
    System.setProperty("javax.net.ssl.trustStore", made.toString());
    System.setProperty("javax.net.ssl.trustStorePassword", "changeit");
  }

  private static void set(Object request, String name, Object value, Job job) throws Exception {
    for (Method method : request.getClass().getMethods()) {
      if (method.getName().equals("set" + name) && method.getParameterCount() == 1) {
        Class<?> wanted = method.getParameterTypes()[0];
        String text = job.text(value);
        Object given = wanted == Integer.class ? Integer.valueOf(text) : wanted == Boolean.class ? Boolean.valueOf(text) : text;
        method.invoke(request, given);
        return;
      }
    }
    throw new IllegalArgumentException(request.getClass().getName() + " has no " + name);
  }

  /** Signs with another time: the SDK asks nobody for it. */
  private static void shiftClock(AcsRequest<?> request, Job job) throws Exception {
    request.resolveSignatureComposer();
    Field field = AcsRequest.class.getDeclaredField("composer");
    field.setAccessible(true);
    ISignatureComposer composer = (ISignatureComposer) field.get(request);
    field.set(
        request,
        new ISignatureComposer() {
          @Override
          public Map<String, String> refreshSignParameters(
              Map<String, String> parameters, Signer signer, String accessKeyId, FormatType format) {
            Map<String, String> refreshed = composer.refreshSignParameters(parameters, signer, accessKeyId, format);
            refreshed.put("Timestamp", job.timestamp());
            return refreshed;
          }

          @Override
          public String composeStringToSign(
              MethodType method,
              String pattern,
              Signer signer,
              Map<String, String> queries,
              Map<String, String> headers,
              Map<String, String> paths) {
            return composer.composeStringToSign(method, pattern, signer, queries, headers, paths);
          }

          @Override
          public String getAuthorization(Signer signer, String accessKeyId, String signature) {
            return composer.getAuthorization(signer, accessKeyId, signature);
          }
        });
  }

  private static Map<String, Object> describe(Throwable error) {
    Map<String, Object> found = new HashMap<>();
    found.put("class", error.getClass().getSimpleName());
    found.put("code", null);
    found.put("status", null);
    found.put("message", String.valueOf(error.getMessage()));
    found.put("request_id", null);
    if (error instanceof TeaException) {
      TeaException tea = (TeaException) error;
      found.put("code", tea.getCode());
      found.put("status", tea.getStatusCode());
      found.put("request_id", tea.getData() == null ? null : tea.getData().get("RequestId"));
    } else if (error instanceof ClientException) {
      ClientException legacy = (ClientException) error;
      found.put("code", legacy.getErrCode());
      found.put("message", legacy.getErrMsg());
      found.put("request_id", legacy.getRequestId());
    } else if (error instanceof PopClientException) {
      PopClientException refused = (PopClientException) error;
      found.put("code", refused.getErrCode());
      found.put("status", refused.getStatusCode());
      found.put("request_id", refused.getRequestId());
    } else if (error instanceof PopServerException) {
      PopServerException failed = (PopServerException) error;
      found.put("code", failed.getErrCode());
      found.put("status", failed.getStatusCode());
      found.put("request_id", failed.getRequestId());
    }
    return found;
  }
}
