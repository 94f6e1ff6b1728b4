// Calls through the vendor's Go SDKs; the same lines in and out as ../drivers/lines.py.
//
// Ways: "tea" is the generic client of darabonba-openapi, of which the generated clients are a thin layer, with their
// signature (V1); "acs3" is the same client at its own setting; "legacy" is services/fnf of alibaba-cloud-sdk-go.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"
	legacyErrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
)

type job struct {
	Endpoint        string
	Protocol        string
	CaFile          string `json:"ca_file"`
	AccessKeyId     string `json:"access_key_id"`
	AccessKeySecret string `json:"access_key_secret"`
	SecurityToken   string `json:"security_token"`
	Way             string
	ClockOff        int `json:"clock_off"`
	Timeout         *int
	Operation       string
	Parameters      map[string]any
}

type failure struct {
	Class     string  `json:"class"`
	Code      *string `json:"code"`
	Status    *int    `json:"status"`
	Message   string  `json:"message"`
	RequestId *string `json:"request_id"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var wanted job
		if err := json.Unmarshal(lines.Bytes(), &wanted); err != nil {
			panic(err)
		}
		body, err := perform(&wanted)
		answer := map[string]any{"body": body}
		if err != nil {
			answer = map[string]any{"error": describe(err)}
		}
		text, err := json.Marshal(answer)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(text))
	}
}

func perform(wanted *job) (any, error) {
	if wanted.Way == "legacy" {
		return performLegacy(wanted)
	}
	return performTea(wanted)
}

// Timestamp of a client whose clock is off.
func timestamp(off int) string {
	return time.Now().UTC().Add(time.Duration(off) * time.Second).Format("2006-01-02T15:04:05Z")
}

func isRead(operation string) bool {
	return strings.HasPrefix(operation, "Describe") || strings.HasPrefix(operation, "List") || strings.HasPrefix(operation, "Get")
}

func performTea(wanted *job) (any, error) {
	config := &openapi.Config{
		AccessKeyId:     dara.String(wanted.AccessKeyId),
		AccessKeySecret: dara.String(wanted.AccessKeySecret),
		RegionId:        dara.String("cn-hangzhou"),
		Endpoint:        dara.String(wanted.Endpoint),
		Protocol:        dara.String(wanted.Protocol),
	}
	if wanted.SecurityToken != "" {
		config.SecurityToken = dara.String(wanted.SecurityToken)
	}
	if wanted.Way == "tea" {
		config.SignatureAlgorithm = dara.String("v2")
	}
	if wanted.CaFile != "" {
		text, err := os.ReadFile(wanted.CaFile)
		if err != nil {
			return nil, err
		}
		config.Ca = dara.String(string(text))
	}
	client, err := openapi.NewClient(config)
	if err != nil {
		return nil, err
	}
	method := "POST"
	if isRead(wanted.Operation) {
		method = "GET"
	}
	params := &openapi.Params{
		Action: dara.String(wanted.Operation), Version: dara.String("2019-03-15"), Protocol: dara.String("HTTPS"),
		Pathname: dara.String("/"), Method: dara.String(method), AuthType: dara.String("AK"), Style: dara.String("RPC"),
		ReqBodyType: dara.String("formData"), BodyType: dara.String("json"),
	}
	request := &openapi.OpenApiRequest{}
	if isRead(wanted.Operation) {
		request.Query = map[string]*string{}
		for name, value := range wanted.Parameters {
			request.Query[name] = dara.String(fmt.Sprint(value))
		}
	} else {
		request.Body = wanted.Parameters
	}
	if wanted.ClockOff != 0 {
		if wanted.Way == "tea" {
			request.Query = dara.Merge(request.Query, map[string]*string{"Timestamp": dara.String(timestamp(wanted.ClockOff))})
		} else {
			request.Headers = map[string]*string{"x-acs-date": dara.String(timestamp(wanted.ClockOff))}
		}
	}
	runtime := &dara.RuntimeOptions{ReadTimeout: wanted.Timeout}
	answer, err := client.CallApi(params, request, runtime)
	if err != nil {
		return nil, err
	}
	return answer["body"], nil
}

func describe(err error) failure {
	found := failure{Class: className(err), Message: err.Error()}
	var sdk *tea.SDKError
	var legacy *legacyErrors.ServerError
	switch {
	case errors.As(err, &sdk):
		found.Code, found.Status, found.Message = sdk.Code, sdk.StatusCode, tea.StringValue(sdk.Message)
		var data struct{ RequestId *string }
		if json.Unmarshal([]byte(tea.StringValue(sdk.Data)), &data) == nil {
			found.RequestId = data.RequestId
		}
	case errors.As(err, &legacy):
		code, status, request := legacy.ErrorCode(), legacy.HttpStatus(), legacy.RequestId()
		found.Code, found.Status, found.RequestId, found.Message = &code, &status, &request, legacy.Message()
	}
	return found
}

func className(err error) string {
	kind := reflect.TypeOf(err)
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	return kind.Name()
}
