package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/fnf"
)

// The SDK asks this for the time, so that its own tests can set it.
//
//go:linkname hookGetDate github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth.hookGetDate
var hookGetDate func(fn func() string) string

var requestOf = map[string]func() requests.AcsRequest{
	"CreateFlow":          func() requests.AcsRequest { return fnf.CreateCreateFlowRequest() },
	"CreateSchedule":      func() requests.AcsRequest { return fnf.CreateCreateScheduleRequest() },
	"DeleteFlow":          func() requests.AcsRequest { return fnf.CreateDeleteFlowRequest() },
	"DeleteSchedule":      func() requests.AcsRequest { return fnf.CreateDeleteScheduleRequest() },
	"DescribeExecution":   func() requests.AcsRequest { return fnf.CreateDescribeExecutionRequest() },
	"DescribeFlow":        func() requests.AcsRequest { return fnf.CreateDescribeFlowRequest() },
	"DescribeSchedule":    func() requests.AcsRequest { return fnf.CreateDescribeScheduleRequest() },
	"GetExecutionHistory": func() requests.AcsRequest { return fnf.CreateGetExecutionHistoryRequest() },
	"ListExecutions":      func() requests.AcsRequest { return fnf.CreateListExecutionsRequest() },
	"ListFlows":           func() requests.AcsRequest { return fnf.CreateListFlowsRequest() },
	"ListSchedules":       func() requests.AcsRequest { return fnf.CreateListSchedulesRequest() },
	"ReportTaskFailed":    func() requests.AcsRequest { return fnf.CreateReportTaskFailedRequest() },
	"ReportTaskSucceeded": func() requests.AcsRequest { return fnf.CreateReportTaskSucceededRequest() },
	"StartExecution":      func() requests.AcsRequest { return fnf.CreateStartExecutionRequest() },
	"StartSyncExecution":  func() requests.AcsRequest { return fnf.CreateStartSyncExecutionRequest() },
	"StopExecution":       func() requests.AcsRequest { return fnf.CreateStopExecutionRequest() },
	"UpdateFlow":          func() requests.AcsRequest { return fnf.CreateUpdateFlowRequest() },
	"UpdateSchedule":      func() requests.AcsRequest { return fnf.CreateUpdateScheduleRequest() },
}

func performLegacy(wanted *job) (any, error) {
	hookGetDate = func(func() string) string { return timestamp(wanted.ClockOff) }
	client, err := legacyClient(wanted)
	if err != nil {
		return nil, err
	}
	request := requestOf[wanted.Operation]()
	request.SetScheme(wanted.Protocol)
	request.SetDomain(wanted.Endpoint)
	if wanted.Timeout != nil {
		request.SetReadTimeout(time.Duration(*wanted.Timeout) * time.Millisecond)
	}
	fields := reflect.ValueOf(request).Elem()
	for name, value := range wanted.Parameters {
		fields.FieldByName(name).SetString(fmt.Sprint(value))
	}
	answered := reflect.ValueOf(client).MethodByName(wanted.Operation).Call([]reflect.Value{reflect.ValueOf(request)})
	if failed, _ := answered[1].Interface().(error); failed != nil {
		return nil, failed
	}
	response := answered[0].Interface().(responses.AcsResponse)
	var body any
	decoder := json.NewDecoder(strings.NewReader(response.GetHttpContentString()))
	decoder.UseNumber()
	return body, decoder.Decode(&body)
}

func legacyClient(wanted *job) (*fnf.Client, error) {
	var credential auth.Credential = credentials.NewAccessKeyCredential(wanted.AccessKeyId, wanted.AccessKeySecret)
	if wanted.SecurityToken != "" {
		credential = credentials.NewStsTokenCredential(wanted.AccessKeyId, wanted.AccessKeySecret, wanted.SecurityToken)
	}
	config := sdk.NewConfig()
	if wanted.CaFile != "" {
		text, err := os.ReadFile(wanted.CaFile)
		if err != nil {
			return nil, err
		}
		trusted := x509.NewCertPool()
		trusted.AppendCertsFromPEM(text)
		config = config.WithHttpTransport(&http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}})
	}
	return fnf.NewClientWithOptions("cn-hangzhou", config, credential)
}
