#!/usr/bin/env bash
# github.com/alibabacloud-go/darabonba-openapi/v2 2.1.13: its error types never reach the caller.
#
# Guess:  an error answer comes as *client.ClientError, a Throttling.User with x-acs-retry-after as *client.ThrottlingError: the
#         package exports them with code, request id and RetryAfter, and the Python and Node packages of this generation raise theirs.
# Does:   every error answer comes as *tea.SDKError; errors.As finds no type of the package in it, and the id of the request stands
#         in JSON text alone. The types come once the field DisableSDKError of the client is set; RetryAfter is 0 even then: it is
#         read from x-ratelimit-user-api and x-ratelimit-user, not from x-acs-retry-after, which the Python package reads.
# Seen:   by default       404 *tea.SDKError, 429 *tea.SDKError
#         DisableSDKError  404 *client.ClientError, 429 *client.ThrottlingError, RetryAfter 0
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
go mod init finding.example/finding 2> /dev/null
cat > main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"
)

var answers = []struct {
	status int
	body   string
}{
	{404, `{"RequestId": "r", "Code": "FlowNotExists", "Message": "no such flow"}`},
	{429, `{"RequestId": "r", "Code": "Throttling.User", "Message": "slow down"}`},
}

func main() {
	next := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := answers[next%len(answers)]
		next++
		w.Header().Set("Content-Type", "application/json")
		if answer.status == 429 {
			w.Header().Set("x-acs-retry-after", "300")
		}
		w.WriteHeader(answer.status)
		fmt.Fprint(w, answer.body)
	}))
	defer server.Close()
	plain := seen(server.URL, nil)
	typed := seen(server.URL, dara.Bool(true))
	fmt.Println("by default      ", plain)
	fmt.Println("DisableSDKError ", typed)
	if plain != "404 *tea.SDKError, 429 *tea.SDKError" ||
		typed != "404 *client.ClientError, 429 *client.ThrottlingError, RetryAfter 0" {
		os.Exit(1)
	}
}

func seen(url string, disable *bool) string {
	client, err := openapi.NewClient(&openapi.Config{
		AccessKeyId: dara.String("a"), AccessKeySecret: dara.String("b"), Protocol: dara.String("http"),
		Endpoint: dara.String(strings.TrimPrefix(url, "http://")), ReadTimeout: dara.Int(5000),
	})
	if err != nil {
		panic(err)
	}
	client.DisableSDKError = disable
	params := &openapi.Params{
		Action: dara.String("DescribeFlow"), Version: dara.String("2019-03-15"), Protocol: dara.String("HTTP"),
		Pathname: dara.String("/"), Method: dara.String("GET"), AuthType: dara.String("AK"), Style: dara.String("RPC"),
		ReqBodyType: dara.String("formData"), BodyType: dara.String("json"),
	}
	var found []string
	for _, answer := range answers {
		_, err := client.CallApi(params, &openapi.OpenApiRequest{}, &dara.RuntimeOptions{})
		said := fmt.Sprintf("%d %T", answer.status, err)
		var throttled *openapi.ThrottlingError
		if errors.As(err, &throttled) {
			said += fmt.Sprintf(", RetryAfter %d", dara.Int64Value(throttled.RetryAfter))
		}
		found = append(found, said)
	}
	return strings.Join(found, ", ")
}
GO
go get github.com/alibabacloud-go/darabonba-openapi/v2@v2.1.13 github.com/alibabacloud-go/tea@v1.3.13 2> /dev/null
go mod tidy 2> /dev/null
go run .
