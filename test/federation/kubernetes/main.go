// Kubetoken prints service account tokens made by Kubernetes' own generator, and the key set that an API server publishes for them.
//
// It reads one JSON object from standard input: the issuer, the algorithm of its key, and the tokens to make.
package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"log"
	"os"
	"time"

	"gopkg.in/go-jose/go-jose.v2/jwt"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/serviceaccount"
)

type request struct {
	Issuer string
	// RS256 or ES256.
	Alg    string
	Tokens []token
}

type token struct {
	Namespace, Name, UID, Pod string
	Audiences                 []string
	LifetimeSeconds           int64
	// How long ago the token was made.
	AgeSeconds int64
}

type answer struct {
	Tokens []string
	Jwks   json.RawMessage
}

func main() {
	var asked request
	must(json.NewDecoder(os.Stdin).Decode(&asked))
	private, public := generateKey(asked.Alg)
	generator, err := serviceaccount.JWTTokenGenerator(asked.Issuer, private)
	must(err)
	keys, err := serviceaccount.StaticPublicKeysGetter([]interface{}{public})
	must(err)
	provider, err := serviceaccount.NewOpenIDMetadataProvider(asked.Issuer, "", "127.0.0.1:6443", keys)
	must(err)
	jwks, _ := provider.GetKeysetJSON()
	made := answer{Jwks: jwks}
	for _, each := range asked.Tokens {
		made.Tokens = append(made.Tokens, makeToken(generator, each))
	}
	must(json.NewEncoder(os.Stdout).Encode(made))
}

func makeToken(generator serviceaccount.TokenGenerator, asked token) string {
	account := core.ServiceAccount{ObjectMeta: objectMeta(asked.Namespace, asked.Name, asked.UID)}
	var pod *core.Pod
	if asked.Pod != "" {
		pod = &core.Pod{ObjectMeta: objectMeta(asked.Namespace, asked.Pod, asked.UID)}
	}
	claims, private, err := serviceaccount.Claims(account, pod, nil, nil, asked.LifetimeSeconds, 0, asked.Audiences)
	must(err)
	for _, instant := range []**jwt.NumericDate{&claims.IssuedAt, &claims.NotBefore, &claims.Expiry} {
		*instant = jwt.NewNumericDate((*instant).Time().Add(-time.Duration(asked.AgeSeconds) * time.Second))
	}
	signed, err := generator.GenerateToken(context.Background(), claims, private)
	must(err)
	return signed
}

func objectMeta(namespace, name, uid string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(uid)}
}

func generateKey(alg string) (interface{}, crypto.PublicKey) {
	if alg == "ES256" {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		return key, &key.PublicKey
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	return key, &key.PublicKey
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
