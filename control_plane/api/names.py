"""Every endpoint name the apps may call (docs/apps.md).

Those without a handler answer 201 and one plain sentence.
"""

_NAMES = """
    registerUser showUserDetail checkUsername checkEmail checkPhoneNo checkPhone
    verifyPhoneNo verifyRegisterEmailCode login forgotPassword
    verifyforgotPasswordCode changePasswordForgot changePassword changeEmailAddress
    verifyChangeEmailCode changePhoneNo logout editProfile deleteUserAccount
    addDeviceData registerDevice userVerificationRequest verifyAccountDetails
    showInterestSection addUserInterest showLicense showRegisteredContacts
    showLanguages addUserLanguage addUserLanguagePreferences showInterests
    addUserImage addUserImageNew addUserProfileVideo updateProfile showDeviceDetail
    showCountries showLocations showHtmlPage checkIfUserExistInFirebase
    showRelatedVideos showFollowingVideos showNearbyVideos showVideosAgainstLocation
    showVideosAgainstHashtag showVideosAgainstSound showVideosAgainstUserID
    showUserLikedVideos showUserRepostedVideos showFavouriteVideos showVideoDetail
    showVideoDetailAd likeVideo addVideoFavourite repostVideo shareVideo deleteVideo
    downloadVideo deleteWaterMarkVideo NotInterestedVideo pinVideo watchVideo
    updateVideoDetail postVideo editVideo showDiscoverySections showAppSlider
    showUserVideosTrendingAndRecent showVideoAnalytics showAnalytics
    editVideoSettings showVideoCompression getVideoDetection
    showTaggedVideosAgainstUserID showStoreTaggedVideos addStory showStory
    deleteStory showDraftVideos deleteDraftVideo showVideoComments
    postCommentOnVideo postCommentReply likeComment likeCommentReply
    deleteVideoComment deleteVideoCommentReply pinComment showSentGiftsAgainstVideo
    followUser showFollowers showFollowing showSuggestedUsers showProfileVisitors
    followerNotification deleteFollower showFriends searchFollowingOrFollowUsers
    showUsers blockUser showBlockedUsers reportUser reportVideo reportRoom
    reportProduct report showReportReasons search sendNotification
    sendMessageNotification showSounds showSoundsAgainstSection
    searchSoundsAgainstSection showFavouriteSounds addSoundFavourite
    addHashtagFavourite showFavouriteHashtags addSound deleteSound
    showAllNotifications showUnReadNotifications readNotification addPrivacySetting
    privacypolicy updatePushNotificationSettings showSettings showFriendsStories
    showGifts sendGift purchaseCoin purchaseFromCard purchaseCoinsFromStripe
    showCoinWorth withdrawRequest showWithdrawalHistory addPayout showPayout
    showDailyCheckins addDailyCheckin liveStream deleteLiveStream watchLiveStream
    sendLiveStreamPushNotfication inviteUserToStreaming acceptStreamingInvite
    showUsersAccordingToGiftReceive showUsersAccordingToGiftSent addPlaylist
    showPlaylists deletePlaylist deletePlaylistVideo showStickers useSticker addRoom
    deleteRoom leaveRoom joinRoom assignModerator inviteUserToRoom showRoomDetail
    showRooms showUserJoinedRooms showTopics showClubMembers addGroup
    inviteUserToGroup acceptGroupInvite addPromotion updatePromotion showPromotions
    showAllPromotions showAddSettings addAudience addDefaultAudience showAudiences
    deleteAudience showAudiencesReach destinationTap showProducts showProductDetail
    showPromotedProducts showTopViewedProducts showProductCategories
    showOnlyProductCategories showCategories showProductsAgainstCategories
    showProductsAttributes showProductsAttributeVariation addProduct addProductImage
    addProductImages addProductAttribute addProductAttributeVariation
    addProductAttributeCombination addCategoryInProduct addProductFavourite
    addProductRating deleteProduct deleteProductAttribute deleteProductSingleImage
    searchProduct showShops showShopSlider showCartSlider showStoreUsers
    showStoreOrders verifyCoupon placeOrder purchaseProduct showUserOrders
    showOrderDetail showOrderSession showOrderHistory updateOrderStatus
    showDeliveryAddresses addDeliveryAddress deleteDeliveryAddress addCard showCards
    deletePaymentCard addPaymentCard showUserCards
"""

NAMES = frozenset(_NAMES.split())
