#!/usr/bin/env bash
# github.com/alibabacloud-go/darabonba-openapi/v2 2.1.13: without ReadTimeout there is no time-out at all.
#
# Guess:  a client whose ReadTimeout is not set gives up after some seconds, as the same generation does elsewhere: 10 s in Python
#         (tea-openapi) and Java, 3 s in Node; the field is optional.
# Does:   it waits for as long as the server takes. Here that is 15 s, and the call succeeds then; measured up to 180 s. One answer
#         that never comes holds a goroutine for ever, since calls take no context either. With ReadTimeout it gives up in time.
# Seen:   not set           succeeds after 15 s
#         ReadTimeout 2000  fails after 2 s
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
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"
)

const taken = 15 * time.Second

func main() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(taken)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"RequestId": "r"}`)
	}))
	defer server.CloseClientConnections()
	plain := seen(server.URL, nil)
	limited := seen(server.URL, dara.Int(2000))
	fmt.Println("not set          ", plain)
	fmt.Println("ReadTimeout 2000 ", limited)
	if plain != "succeeds after 15 s" || limited != "fails after 2 s" {
		os.Exit(1)
	}
}

func seen(url string, limit *int) string {
	client, err := openapi.NewClient(&openapi.Config{
		AccessKeyId: dara.String("a"), AccessKeySecret: dara.String("b"), Protocol: dara.String("http"),
		Endpoint: dara.String(strings.TrimPrefix(url, "http://")), ReadTimeout: limit,
	})
	if err != nil {
		panic(err)
	}
	params := &openapi.Params{
		Action: dara.String("ListFlows"), Version: dara.String("2019-03-15"), Protocol: dara.String("HTTP"),
		Pathname: dara.String("/"), Method: dara.String("GET"), AuthType: dara.String("AK"), Style: dara.String("RPC"),
		ReqBodyType: dara.String("formData"), BodyType: dara.String("json"),
	}
	began := time.Now()
	_, err = client.CallApi(params, &openapi.OpenApiRequest{}, &dara.RuntimeOptions{})
	result := map[bool]string{true: "succeeds", false: "fails"}[err == nil]
	return fmt.Sprintf("%s after %.0f s", result, time.Since(began).Seconds())
}
GO
go get github.com/alibabacloud-go/darabonba-openapi/v2@v2.1.13 github.com/alibabacloud-go/tea@v1.3.13 2> /dev/null
go mod tidy 2> /dev/null
timeout 120 go run .
