// The program of ory/fosite's client-credentials how-to: a client with a bcrypt-hashed secret, and JWT access tokens of 30 minutes
// signed by an RSA key. `npm run bench -- --peers` builds and starts it.
package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/storage"
	"github.com/ory/fosite/token/jwt"
)

const lifespan = 30 * time.Minute

func main() {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	provider := newProvider(key, []byte(os.Getenv("CLIENT_SECRET_HASH")))
	http.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		session := &oauth2.JWTSession{
			JWTHeader: &jwt.Headers{Extra: map[string]any{"kid": "bench"}},
			JWTClaims: &jwt.JWTClaims{Issuer: "http://localhost", Subject: "client-0"},
		}
		request, err := provider.NewAccessRequest(r.Context(), r, session)
		if err != nil {
			provider.WriteAccessError(r.Context(), w, request, err)
			return
		}
		response, err := provider.NewAccessResponse(r.Context(), request)
		if err != nil {
			provider.WriteAccessError(r.Context(), w, request, err)
			return
		}
		provider.WriteAccessResponse(r.Context(), w, request, response)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}

func newProvider(key *rsa.PrivateKey, secretHash []byte) fosite.OAuth2Provider {
	store := storage.NewMemoryStore()
	store.Clients["client-0"] = &fosite.DefaultClient{
		ID: "client-0", Secret: secretHash, GrantTypes: fosite.Arguments{"client_credentials"},
	}
	config := &fosite.Config{AccessTokenLifespan: lifespan, GlobalSecret: []byte("a secret of thirty-two characters")}
	getKey := func(context.Context) (any, error) { return key, nil }
	strategy := compose.NewOAuth2JWTStrategy(getKey, compose.NewOAuth2HMACStrategy(config), config)
	return compose.Compose(config, store, &compose.CommonStrategy{CoreStrategy: strategy}, compose.OAuth2ClientCredentialsGrantFactory)
}
