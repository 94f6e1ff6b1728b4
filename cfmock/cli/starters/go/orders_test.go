// orders_test.go
// Tests of a program that calls CloudFlow, against cfmock: go test ./...
package orders

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"
)

var url string // of the server, http://127.0.0.1:PORT

// TestMain starts one server for all tests, on a free port.
func TestMain(m *testing.M) {
	server := exec.Command("cfmock", "serve", "fixtures", "--port", "0")
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	if err == nil {
		err = server.Start()
	}
	if err != nil {
		panic(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n') // "cfmock ready http://127.0.0.1:PORT"
	url = strings.TrimPrefix(strings.TrimSpace(line), "cfmock ready ")
	status := m.Run()
	server.Process.Kill()
	server.Wait()
	os.Exit(status)
}

// admin calls the admin API and returns its answer.
func admin(t *testing.T, method, path, body string) []byte {
	t.Helper()
	request, err := http.NewRequest(method, url+"/_cfmock/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status, string(text), err)
	}
	return text
}

// call is in place of your own code. Use these settings for your client.
func call(action, method string, parameters map[string]string) (map[string]any, error) {
	client, err := openapi.NewClient(&openapi.Config{
		AccessKeyId:        dara.String("cfmock"),
		AccessKeySecret:    dara.String("cfmock-secret"),
		Endpoint:           dara.String(strings.TrimPrefix(url, "http://")),
		Protocol:           dara.String("http"),
		SignatureAlgorithm: dara.String("v2"),
		ReadTimeout:        dara.Int(10_000), // without it, this SDK waits forever
	})
	if err != nil {
		return nil, err
	}
	params := &openapi.Params{
		Action: dara.String(action), Version: dara.String("2019-03-15"), Protocol: dara.String("HTTPS"),
		Pathname: dara.String("/"), Method: dara.String(method), AuthType: dara.String("AK"), Style: dara.String("RPC"),
		ReqBodyType: dara.String("formData"), BodyType: dara.String("json"),
	}
	request := &openapi.OpenApiRequest{Query: map[string]*string{}}
	for name, value := range parameters {
		request.Query[name] = dara.String(value)
	}
	answer, err := client.CallApi(params, request, &dara.RuntimeOptions{})
	if err != nil {
		return nil, err
	}
	return answer["body"].(map[string]any), nil
}

func startOrder(name string) error {
	_, err := call("StartExecution", "POST", map[string]string{
		"FlowName": "order_flow", "ExecutionName": name, "Input": `{"amount": 10}`,
	})
	return err
}

func TestAnOrderGetsAReceipt(t *testing.T) {
	admin(t, "POST", "reset", "")
	if err := startOrder("o1"); err != nil {
		t.Fatal(err)
	}
	done, err := call("DescribeExecution", "GET", map[string]string{
		"FlowName": "order_flow", "ExecutionName": "o1", "WaitTimeSeconds": "5",
	})
	if err != nil || done["Status"] != "Succeeded" || done["Output"] != `{"receipt":"r1"}` {
		t.Fatal(done, err)
	}
}

func TestAStartThatIsThrottledIsAnError(t *testing.T) {
	admin(t, "POST", "reset", "")
	admin(t, "POST", "faults", `{"when": {"operation": "StartExecution"}, "times": 1, "error": "ResourceThrottled"}`)
	var failure *tea.SDKError
	if err := startOrder("o1"); !errors.As(err, &failure) || tea.StringValue(failure.Code) != "ResourceThrottled" {
		t.Fatal(err)
	}
	var seen struct{ Calls []struct{ Code string } }
	if err := json.Unmarshal(admin(t, "GET", "calls?operation=StartExecution", ""), &seen); err != nil {
		t.Fatal(err)
	}
	if len(seen.Calls) != 1 || seen.Calls[0].Code != "ResourceThrottled" {
		t.Fatal("a start is not tried again by itself: ", seen)
	}
}
