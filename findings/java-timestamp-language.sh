#!/usr/bin/env bash
# com.aliyun:tea-openapi 0.3.15 (openapiutil 0.2.2), com.aliyun:aliyun-java-sdk-core 4.7.10: the signed time speaks the machine's language.
#
# Guess:  Timestamp and x-acs-date are YYYY-MM-DDThh:mm:ssZ wherever the program runs, as Java's own ISO_INSTANT prints them.
# Does:   both are printed for the JVM's default language: with other digits, or by another calendar. The old SDK sends and signs such
#         a Timestamp, which a server can only refuse. The newer one puts it into a header, where its HTTP client takes no such digits:
#         no call leaves the machine, and the error has no code. -Duser.language=en mends it.
# Seen:   en: plain true
#         th-TH: 543 years late
#         ar-EG: plain false
#         ar-EG: IllegalArgumentException Unexpected char 0x662 at 0 in x-acs-date
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
    <dependency><groupId>com.aliyun</groupId><artifactId>openapiutil</artifactId><version>0.2.2</version></dependency>
    <dependency><groupId>com.aliyun</groupId><artifactId>aliyun-java-sdk-core</artifactId><version>4.7.10</version></dependency>
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
import com.aliyuncs.utils.ParameterHelper;
import java.time.Year;
import java.time.ZoneOffset;
import java.util.Date;
import java.util.Locale;

class Finding {
  static final String PLAIN = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z";

  public static void main(String[] arguments) {
    Locale.setDefault(Locale.forLanguageTag("en"));
    boolean plain = old().matches(PLAIN);
    Locale.setDefault(Locale.forLanguageTag("th-TH-u-ca-buddhist"));
    int late = Integer.parseInt(old().split("-")[0]) - Year.now(ZoneOffset.UTC).getValue();
    Locale.setDefault(Locale.forLanguageTag("ar-EG"));
    boolean digits = old().matches(PLAIN);
    String call = call();
    System.out.printf(Locale.ROOT, "en: plain %s%nth-TH: %d years late%nar-EG: plain %s%nar-EG: %s%n", plain, late, digits, call);
    boolean refused = call.contains("Unexpected char") && call.contains("in x-acs-date");
    System.exit(plain && late == 543 && !digits && refused ? 0 : 1);
  }

  static String old() {
    return ParameterHelper.getISO8601Time(new Date());
  }

  /** A call by the newer SDK to a port where nobody listens: it does not get so far as to find out. */
  static String call() {
    try {
      Config config = new Config().setAccessKeyId("a").setAccessKeySecret("b").setProtocol("http").setEndpoint("127.0.0.1:1");
      Params params =
          new Params().setAction("ListFlows").setVersion("2019-03-15").setProtocol("HTTP").setPathname("/").setMethod("POST")
              .setAuthType("AK").setStyle("RPC").setReqBodyType("formData").setBodyType("json");
      new Client(config).callApi(params, new OpenApiRequest(), new RuntimeOptions());
      return "answered";
    } catch (Exception error) {
      Throwable cause = error;
      while (cause.getCause() != null && cause.getCause() != cause) cause = cause.getCause();
      return cause.getClass().getSimpleName() + " " + cause.getMessage().replaceFirst(" value: .*", "");
    }
  }
}
JAVA
javac -cp 'lib/*' Finding.java
java -cp 'lib/*:.' Finding 2> /dev/null
